#include "simulator/faults.hpp"

#include <iterator>

#include "simulator/encode.hpp"

namespace serialbattery::simulator {

void Faults::bind(Properties& properties) {
  properties.number("every", every_, {1, 1e6});  // strike every n-th request only
  properties.add(                                // strike the next n requests only; 0 = no limit
      "count", [this] { return std::to_string(limited_ ? count_ : 0); },
      [this](std::string_view text) {
        const double count = parse_number(text);
        if (count < 0 || count > 1e6) throw PropertyError("count is outside 0 .. 1000000");
        count_ = static_cast<unsigned>(count);
        limited_ = count_ > 0;
      });
  properties.number("answer_every", answer_every_, {1, 1e6});   // only every n-th request is answered at all
  properties.flag("silence", silence_);                         // no answer
  properties.flag("wrong_address", wrong_address_);             // the answer carries another unit's address
  properties.number("exception", exception_);                   // refusal with this code in place of the answer (0 = off)
  properties.flag("checksum", checksum_);                       // the first frame's checksum is wrong
  properties.number("flip", flip_, {0, 1000});                  // this many bits, anywhere
  properties.number("truncate", truncate_, {-2000, 2000});      // k > 0: only the first k bytes; k < 0: without the last -k
  properties.number("lose", lose_, {0, 2000});                  // byte number n (first = 1) is lost
  properties.number("noise_before", noise_before_, {0, 2000});  // random bytes
  properties.number("noise_inside", noise_inside_, {0, 2000});
  properties.number("noise_after", noise_after_, {0, 2000});
  properties.bytes("prefix", prefix_);  // these bytes before the answer: foreign frames, FF FF ...
  properties.bytes("suffix", suffix_);
  properties.flag("stale", stale_);               // the previous answer comes first
  properties.flag("previous", previous_);         // the previous answer comes instead
  properties.milliseconds("delay", delay_);       // the answer comes later
  properties.milliseconds("gap", gap_);           // pause after each chunk
  properties.number("chunk", chunk_, {1, 2000});  // bytes per chunk, for gap
}

void Faults::next_request() {
  ++requests_;
  struck_ = requests_ % every_ == 0;
  if (struck_ && limited_) {
    if (count_ == 0) struck_ = false;
    if (count_ > 0) --count_;
  }
}

Answer Faults::apply(Answer answer) {
  if (requests_ % answer_every_ != 0) return {};
  Answer undamaged = answer;
  if (struck_) {
    if (previous_) answer = last_;
    if (silence_) answer.clear();
    if (!answer.empty()) damage(answer);
    surround(answer);
    answer = pace(std::move(answer));
  }
  last_ = std::move(undamaged);
  return answer;
}

void Faults::damage(Answer& answer) {
  if (flip_ == 0 && truncate_ == 0 && lose_ == 0 && noise_inside_ == 0) return;
  ByteVector bytes;
  for (const Part& part : answer) append(bytes, part.bytes);
  for (unsigned i = 0; i < flip_ && !bytes.empty(); ++i) bytes[below(bytes.size())] ^= static_cast<std::uint8_t>(1U << below(8));
  if (lose_ > 0 && lose_ <= bytes.size()) bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(lose_ - 1));
  if (noise_inside_ > 0 && bytes.size() > 1) {
    const auto where = bytes.begin() + static_cast<std::ptrdiff_t>(1 + below(bytes.size() - 1));
    const ByteVector extra = noise(noise_inside_);
    bytes.insert(where, extra.begin(), extra.end());
  }
  const auto size = static_cast<int>(bytes.size());
  if (truncate_ != 0) bytes.resize(static_cast<std::size_t>(std::clamp(truncate_ > 0 ? truncate_ : size + truncate_, 0, size)));
  answer = {Part{answer.front().pause, std::move(bytes)}};
}

void Faults::surround(Answer& answer) {
  ByteVector before = prefix_;
  append(before, noise(noise_before_));
  if (stale_) {
    for (const Part& part : last_) append(before, part.bytes);
  }
  ByteVector after = suffix_;
  append(after, noise(noise_after_));
  if (before.empty() && after.empty()) return;
  if (answer.empty()) answer.emplace_back();
  answer.front().bytes.insert(answer.front().bytes.begin(), before.begin(), before.end());
  append(answer.back().bytes, after);
}

Answer Faults::pace(Answer answer) const {
  if (answer.empty()) return answer;
  answer.front().pause += delay_;
  if (gap_ == Duration::zero()) return answer;
  Answer slow;
  for (const Part& part : answer) {
    for (std::size_t begin = 0; begin < part.bytes.size(); begin += chunk_) {
      const Bytes piece = Bytes(part.bytes).subspan(begin, std::min<std::size_t>(chunk_, part.bytes.size() - begin));
      slow.push_back({begin == 0 ? part.pause : gap_, {piece.begin(), piece.end()}});
    }
  }
  return slow;
}

ByteVector Faults::noise(unsigned count) {
  ByteVector bytes(count);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(below(256));
  return bytes;
}

std::size_t Faults::below(std::size_t end) {
  return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
}

}  // namespace serialbattery::simulator
