#include "simulator/bus.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace serialbattery::simulator {

Bus::Bus(Line line, std::vector<std::unique_ptr<Device>> devices) : line_(line), units_(std::move(devices)) {
  for (const auto& unit : units_) unit->connect(line_);
  line_faults_.flag("echo", echo_);                        // the adapter returns what is sent
  line_faults_.number("echo_skip", echo_skip_, {0, 100});  // without the first n bytes of it
}

std::unique_ptr<Bus> Bus::of(std::string_view type, const std::vector<std::uint8_t>& addresses, std::optional<unsigned> baud) {
  const Model* model = find_model(type);
  if (model == nullptr) throw PropertyError(fmt::format("no model '{}'", type));
  std::vector<std::unique_ptr<Device>> devices;
  for (const std::uint8_t address : addresses) devices.push_back(model->make(address));
  if (devices.empty()) devices.push_back(model->make(model->address));
  Line line = model->line;
  line.baud = baud.value_or(line.baud);
  return std::make_unique<Bus>(line, std::move(devices));
}

std::vector<Answer> Bus::receive(Bytes data, TimePoint now) {
  std::vector<Answer> answers;
  if (echo_ && echo_skip_ < data.size()) {
    const Bytes echoed = data.subspan(echo_skip_);
    answers.push_back({Part{Duration::zero(), {echoed.begin(), echoed.end()}}});
  }
  for (const auto& unit : units_) {
    for (Answer& answer : unit->receive(data, now)) answers.push_back(std::move(answer));
  }
  return answers;
}

std::vector<Answer> Bus::talk(TimePoint now) {
  std::vector<Answer> messages;
  for (const auto& unit : units_) {
    if (Answer message = unit->talk(now); !message.empty()) messages.push_back(std::move(message));
  }
  return messages;
}

bool Bus::talks() const {
  return std::any_of(units_.begin(), units_.end(), [](const auto& unit) { return unit->talk_interval() > Duration::zero(); });
}

void Bus::advance(TimePoint now) {
  for (const auto& unit : units_) unit->advance(now);
}

Bus::Target Bus::target(std::string_view name) const {
  Target result;
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) {
    for (const auto& unit : units_) result.units.push_back(unit.get());
    result.name = name;
    return result;
  }
  const double address = parse_number(name.substr(0, slash));
  for (const auto& unit : units_) {
    if (unit->address() == address) result.units.push_back(unit.get());
  }
  if (result.units.empty()) throw PropertyError(fmt::format("no unit at address {}", address));
  result.name = name.substr(slash + 1);
  return result;
}

void Bus::set(std::string_view name, std::string_view value) {
  const Target to = target(name);
  for (Device* unit : to.units) unit->properties().set(to.name, value);
}

std::string Bus::get(std::string_view name) const {
  const Target from = target(name);
  return from.units.front()->properties().get(from.name);
}

void Bus::set_fault(std::string_view name, std::string_view value) {
  if (line_faults_.contains(name)) return line_faults_.set(name, value);
  const Target to = target(name);
  for (Device* unit : to.units) unit->fault_properties().set(to.name, value);
}

std::string Bus::get_fault(std::string_view name) const {
  if (line_faults_.contains(name)) return line_faults_.get(name);
  const Target from = target(name);
  return from.units.front()->fault_properties().get(from.name);
}

std::vector<std::string> Bus::fault_names() const {
  std::vector<std::string> names = units_.front()->fault_properties().names();
  for (std::string& name : line_faults_.names()) names.push_back(std::move(name));
  return names;
}

void Bus::seed(std::uint32_t value) {
  for (const auto& unit : units_) unit->faults().seed(value++);
}

Statistics Bus::statistics() const {
  Statistics total;
  for (const auto& unit : units_) {
    const Statistics& one = unit->statistics();
    total.requests += one.requests;
    total.answers += one.answers;
    total.dropped += one.dropped;
    total.last_request = std::max(total.last_request, one.last_request);
  }
  return total;
}

}  // namespace serialbattery::simulator
