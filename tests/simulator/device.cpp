#include "simulator/device.hpp"

#include <algorithm>

namespace serialbattery::simulator {

Device::Device(std::uint8_t address) : address_(address) {
  faults_.bind(fault_properties_);
}

std::vector<Answer> Device::receive(Bytes data, TimePoint now) {
  advance(now);
  if (now - last_input_ > patience()) {
    statistics_.dropped += input_.size();
    input_.clear();
  }
  last_input_ = now;
  input_.insert(input_.end(), data.begin(), data.end());

  std::vector<Answer> answers;
  std::size_t used = 0;
  while (used < input_.size()) {
    const Input found = recognise(Bytes(input_).subspan(used));
    if (found.kind == Input::Kind::incomplete) break;
    const Bytes request = Bytes(input_).subspan(used, found.size);
    used += found.size;
    if (found.kind == Input::Kind::noise) {
      statistics_.dropped += found.size;
      continue;
    }
    if (found.kind == Input::Kind::foreign) {
      overhear(request, now);
      continue;
    }
    ++statistics_.requests;
    statistics_.last_request = now;
    faults_.next_request();
    const std::uint8_t code = faults_.exception();
    Answer reply = code == 0 ? answer(request, now) : refuse(request, code);
    if (faults_.wrong_checksum() && !reply.empty()) spoil_checksum(reply.front().bytes);
    reply = faults_.apply(std::move(reply));
    if (reply.empty()) continue;
    ++statistics_.answers;
    answered_ = now;
    for (const Part& part : reply) answered_ += part.pause + byte_time(line_) * part.bytes.size();
    answers.push_back(std::move(reply));
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(used));
  return answers;
}

Answer Device::talk(TimePoint now) {
  const Duration interval = talk_interval();
  if (interval == Duration::zero()) {
    next_talk_.reset();
    return {};
  }
  if (!next_talk_) next_talk_ = now;
  if (now < *next_talk_) return {};
  next_talk_ = std::max(*next_talk_ + interval, now);
  advance(now);
  faults_.next_request();
  Answer message = announce(now);
  if (faults_.wrong_checksum() && !message.empty()) spoil_checksum(message.front().bytes);
  return faults_.apply(std::move(message));
}

void Device::spoil_checksum(ByteVector& frame) const {
  if (!frame.empty()) frame.back() ^= 0x01U;
}

std::uint8_t Device::reply_address() const {
  return static_cast<std::uint8_t>(address_ + (faults_.wrong_address() ? 1 : 0));
}

Duration Device::gap_before(Bytes request, TimePoint now) const {
  return now - byte_time(line_) * request.size() - answered_;
}

Bms::Bms(std::uint8_t address) : Device(address) {
  pack_.bind(properties());
  battery_.bind(properties());
}

namespace {

std::vector<Model>& models() {
  static std::vector<Model> list;
  return list;
}

}  // namespace

ModelRegistration::ModelRegistration(const Model& model) {
  models().push_back(model);
  std::sort(models().begin(), models().end(), [](const Model& a, const Model& b) { return a.type < b.type; });
}

const std::vector<Model>& all_models() {
  return models();
}

const Model* find_model(std::string_view type) {
  const auto found = std::find_if(models().begin(), models().end(), [type](const Model& model) { return model.type == type; });
  return found == models().end() ? nullptr : &*found;
}

}  // namespace serialbattery::simulator
