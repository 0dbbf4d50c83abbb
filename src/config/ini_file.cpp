#include "config/ini_file.hpp"

#include <ini.h>

#include <cstring>
#include <set>

#include "config/key_table.hpp"
#include "config/text.hpp"

namespace serialbattery::config {

namespace {

constexpr std::string_view separators = "=:";
constexpr std::size_t max_defects = 200;  // of one file; a file of another kind must not flood the log

bool is_known_key_line(std::string_view line) {
  const std::size_t end = line.find_first_of(separators);
  return end != std::string_view::npos && find_key(trim(line.substr(0, end))) != nullptr;
}

/// A key line with its continuations, without indentation and comments.
struct LogicalLine {
  int number = 0;
  std::string text;
  bool indented = false;
};

/// Takes physical lines one by one and makes logical lines of them.
class Normaliser {
 public:
  explicit Normaliser(IniFile& file) : file_(file) {}

  void take(int number, std::string_view line) {
    const std::string_view text = trim(line);
    if (text.empty() || text.starts_with(';') || text.starts_with('#')) return;
    const auto indent = static_cast<std::size_t>(text.data() - line.data());
    const bool below_key = key_indent_ && indent > *key_indent_;
    if (below_key && !is_known_key_line(text)) {
      if (section_ == Section::settings) lines_.back().text.append("\n").append(text);
    } else if (text.starts_with('[')) {
      take_header(number, text);
    } else {
      take_key_line({number, std::string(text), below_key}, indent);
    }
  }

  std::vector<LogicalLine> lines() && { return std::move(lines_); }

 private:
  enum class Section { none, settings, foreign };

  void take_header(int number, std::string_view text) {
    key_indent_.reset();
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) {
      report(number, text, Code::syntax, "a section header without closing bracket");
      return;
    }
    const std::string_view name = text.substr(1, end - 1);
    section_ = name == "DEFAULT" ? Section::settings : Section::foreign;
    if (section_ == Section::foreign && foreign_names_.emplace(name).second) {
      report(number, name, Code::unknown_section, "only the section [DEFAULT] counts, written like this");
    }
  }

  void take_key_line(LogicalLine line, std::size_t indent) {
    key_indent_.reset();  // nothing continues a line that is no key line
    const std::size_t separator = line.text.find_first_of(separators);
    if (separator == std::string::npos) {
      if (section_ != Section::foreign) report(line.number, line.text, Code::syntax, "neither a section nor KEY = value");
    } else if (separator == 0) {
      if (section_ != Section::foreign) report(line.number, line.text, Code::syntax, "there is no key before the separator");
    } else {
      key_indent_ = indent;
      if (section_ == Section::none && !file_.line_before_section) file_.line_before_section = line.number;
      if (section_ == Section::none) section_ = Section::foreign;  // the file is refused: its other lines do not matter
      if (section_ == Section::settings) lines_.push_back(std::move(line));
    }
  }

  void report(int number, std::string_view text, Code code, std::string_view problem) {
    if (file_.defects.size() < max_defects) {
      file_.defects.push_back({number, std::string(text), code, std::string(problem)});
    } else if (file_.defects.size() == max_defects) {
      file_.defects.push_back({number, "", Code::syntax, "too many lines are no settings; the further ones are not listed"});
    }
  }

  IniFile& file_;
  std::vector<LogicalLine> lines_;
  std::optional<std::size_t> key_indent_;  // of the key line above, if a continuation may follow
  std::set<std::string> foreign_names_;
  Section section_ = Section::none;
};

/// Hands logical lines to inih one by one and collects what it makes of them.
class Splitter {
 public:
  static std::vector<Entry> split(const std::vector<LogicalLine>& lines) {
    Splitter splitter(lines);
    std::size_t longest = 0;
    for (const LogicalLine& line : lines) longest = std::max(longest, line.text.size());
    // inih's options are global variables of the library; nobody else in this process uses it.
    ini_allow_bom = false;
    ini_allow_multiline = false;
    ini_allow_inline_comments = false;
    ini_use_stack = false;
    ini_initial_alloc = static_cast<int>(longest) + 2;  // one logical line is always read in one piece
    ini_parse_stream(&Splitter::read, &splitter, &Splitter::keep, &splitter);
    return std::move(splitter.entries_);
  }

 private:
  explicit Splitter(const std::vector<LogicalLine>& lines) : lines_(lines) {}

  static char* read(char* buffer, int size, void* self) {
    auto& splitter = *static_cast<Splitter*>(self);
    if (splitter.next_ == splitter.lines_.size()) return nullptr;
    const std::string& text = splitter.lines_[splitter.next_++].text;
    const std::size_t length = std::min(text.size(), static_cast<std::size_t>(size) - 1);
    std::memcpy(buffer, text.data(), length);
    buffer[length] = '\0';
    return buffer;
  }

  static int keep(void* self, const char* /*section*/, const char* name, const char* value) {
    auto& splitter = *static_cast<Splitter*>(self);
    const LogicalLine& line = splitter.lines_[splitter.next_ - 1];
    splitter.entries_.push_back({line.number, name, value, line.indented});
    return 1;
  }

  const std::vector<LogicalLine>& lines_;
  std::size_t next_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace

IniFile read_ini(std::string_view bytes) {
  IniFile file;
  Normaliser normaliser(file);
  const std::string text = decode(bytes.substr(0, max_file_size));
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    normaliser.take(number, rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  if (bytes.size() > max_file_size) file.defects.push_back({0, "", Code::syntax, "the file is larger than 1 MiB"});
  const auto lines = std::move(normaliser).lines();
  file.entries = Splitter::split(lines);
  if (file.entries.size() != lines.size()) {
    file.defects.push_back({0, "", Code::syntax, "the file could not be read completely"});  // inih found no memory
  }
  return file;
}

}  // namespace serialbattery::config
