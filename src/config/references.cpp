#include "config/references.hpp"

#include "config/text.hpp"

namespace serialbattery::config {

namespace {

constexpr int max_depth = 10;
// No sensible file comes near; they keep a few hostile lines from growing without bound.
constexpr int max_references = 200;
constexpr std::size_t longest_reference = 200;
constexpr std::size_t max_inserted = std::size_t{16} * 1024;

class Resolver {
 public:
  explicit Resolver(const KeyText& key_text) : key_text_(key_text) {}

  std::string resolve(std::string_view text, int depth) {
    std::string result;
    while (true) {
      const std::size_t percent = complete_ ? text.find('%') : std::string_view::npos;  // what can not be used need not be finished
      result += text.substr(0, percent);
      if (percent == std::string_view::npos) return result;
      text.remove_prefix(percent);
      const std::size_t taken = text.starts_with("%%") ? 2 : reference_length(text);
      if (taken == 0) {
        result += '%';
        text.remove_prefix(1);
        continue;
      }
      result += taken == 2 ? "%" : insert(text.substr(0, taken), depth);
      text.remove_prefix(taken);
    }
  }

  [[nodiscard]] bool complete() const { return complete_; }

 private:
  /// Length of a reference to a key that exists, at the beginning of the text; 0 when there is none. At least 5.
  [[nodiscard]] std::size_t reference_length(std::string_view text) const {
    if (!text.starts_with("%(")) return 0;
    const std::size_t end = text.substr(0, longest_reference).find(')');
    if (end == std::string_view::npos || end == 2 || !text.substr(end).starts_with(")s")) return 0;
    return key_text_(upper_case(trim(text.substr(2, end - 2)))) ? end + 2 : 0;
  }

  std::string insert(std::string_view reference, int depth) {
    const auto target = key_text_(upper_case(trim(reference.substr(2, reference.size() - 4))));
    ++references_;
    inserted_ += target->size();
    if (depth == max_depth || references_ > max_references || inserted_ > max_inserted) {
      complete_ = false;
      return std::string(reference);
    }
    return resolve(*target, depth + 1);
  }

  const KeyText& key_text_;
  int references_ = 0;
  std::size_t inserted_ = 0;
  bool complete_ = true;
};

}  // namespace

Resolved resolve_references(std::string_view text, const KeyText& key_text) {
  Resolver resolver(key_text);
  std::string resolved = resolver.resolve(text, 0);
  return {std::move(resolved), resolver.complete()};
}

}  // namespace serialbattery::config
