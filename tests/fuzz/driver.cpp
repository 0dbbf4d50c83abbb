// Any BMS on the line: a driver in conversation with a device whose answers the input makes up, most of them out of recorded ones.
//
// The program is the same for all types; its name says which one it tests: fuzz-driver-lltjbd. Plain fuzz-driver takes the type from
// the input. Linked to a name each, and given seeds, by itself: fuzz-driver --prepare CORPUS makes the links beside itself, and seeds
// in CORPUS/<name>, both after each build (CMakeLists.txt).
//
// Input:   options, then as long as bytes last
//   conversation     for each request of the driver: one answer
//   replay           number of a recorded exchange (2 bytes), one answer
// Answer:  control byte, with it the recorded answer to that request, with some bytes changed (2 bytes place, 1 byte value each),
//          or a raw one (1 byte length, bytes).
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/loader.hpp"
#include "serialbattery/registry.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::fuzz {

namespace {

namespace json = boost::json;
using test::ScriptedStream;

// --- Checksums ---
// A mutation that breaks a checksum tests the framing only. So a changed answer may get right checksums of the kinds that fitted before.

using Repair = void (*)(Bytes request, std::span<std::uint8_t> answer);

void repair_modbus(Bytes /*request*/, std::span<std::uint8_t> frame) {
  const std::uint16_t crc = wire::crc_modbus(frame.first(frame.size() - 2));
  frame[frame.size() - 2] = static_cast<std::uint8_t>(crc);
  frame[frame.size() - 1] = static_cast<std::uint8_t>(crc >> 8U);
}

void repair_jbd(Bytes /*request*/, std::span<std::uint8_t> frame) {
  const std::uint32_t sum = 0x10000U - wire::sum(frame.subspan(2, frame.size() - 5));
  frame[frame.size() - 3] = static_cast<std::uint8_t>(sum >> 8U);
  frame[frame.size() - 2] = static_cast<std::uint8_t>(sum);
}

void repair_jk(Bytes /*request*/, std::span<std::uint8_t> frame) {
  const std::uint32_t sum = wire::sum(frame.first(frame.size() - 4));
  frame[frame.size() - 2] = static_cast<std::uint8_t>(sum >> 8U);
  frame[frame.size() - 1] = static_cast<std::uint8_t>(sum);
}

void repair_daly(Bytes /*request*/, std::span<std::uint8_t> frames) {
  for (; frames.size() >= 13; frames = frames.subspan(13)) frames[12] = static_cast<std::uint8_t>(wire::sum(frames.first(12)));
}

void repair_jk_record(Bytes /*request*/, std::span<std::uint8_t> answer) {
  if (answer.size() >= 300) answer[299] = static_cast<std::uint8_t>(wire::sum(answer.first(299)));
}

// ASCII frames of the YD/T 1363 family: ~ ... sum(4 digits) CR.
void repair_ascii(Bytes /*request*/, std::span<std::uint8_t> frame) {
  const std::uint32_t sum = 0x10000U - wire::sum(frame.subspan(1, frame.size() - 6));
  for (std::size_t i = 0; i < 4; ++i) {
    const unsigned digit = (sum >> (12U - 4U * i)) & 0xFU;
    frame[frame.size() - 5 + i] = static_cast<std::uint8_t>(digit < 10 ? '0' + digit : 'A' + digit - 10);
  }
}

void repair_ant_old(Bytes /*request*/, std::span<std::uint8_t> frame) {
  if (frame.size() < 140) return;
  const std::uint32_t sum = wire::sum(frame.subspan(4, 134));
  frame[138] = static_cast<std::uint8_t>(sum >> 8U);
  frame[139] = static_cast<std::uint8_t>(sum);
}

void repair_ant_new(Bytes /*request*/, std::span<std::uint8_t> frame) {
  const std::size_t end = std::min<std::size_t>(frame[5] + 6U, frame.size() - 2);
  const std::uint16_t crc = wire::crc_modbus(frame.subspan(1, end - 1));
  frame[end] = static_cast<std::uint8_t>(crc);
  frame[end + 1] = static_cast<std::uint8_t>(crc >> 8U);
}

// CRC-8 over request and data, by the bit: a short answer needs no table.
void repair_sinowealth(Bytes request, std::span<std::uint8_t> answer) {
  unsigned crc = 0;
  const auto add = [&crc](std::uint8_t byte) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x80U) != 0 ? (crc << 1U ^ 0x07U) & 0xFFU : crc << 1U;
  };
  std::ranges::for_each(request, add);
  std::ranges::for_each(answer.first(answer.size() - 1), add);
  answer.back() = static_cast<std::uint8_t>(crc);
}

std::vector<Repair> fitting_repairs(const ByteVector& request, const ByteVector& answer) {
  struct Known {
    std::size_t shortest;
    Repair repair;
  };
  constexpr Known known[] = {{8, repair_modbus}, {8, repair_jbd},     {8, repair_jk},      {8, repair_daly},      {8, repair_jk_record},
                             {8, repair_ascii},  {8, repair_ant_old}, {8, repair_ant_new}, {3, repair_sinowealth}};
  std::vector<Repair> result;
  for (const auto& [shortest, repair] : known) {
    ByteVector copy = answer;
    if (copy.size() < shortest) continue;
    repair(request, copy);
    if (copy == answer) result.push_back(repair);
  }
  return result;
}

// --- Recorded exchanges ---

struct Exchange {
  ByteVector request, answer;
  std::vector<Repair> repairs;
};

std::vector<Exchange> load(const std::filesystem::path& file) {
  std::vector<Exchange> result;
  std::ifstream stream(file);
  if (!stream) return result;
  std::stringstream text;
  text << stream.rdbuf();
  const json::value document = json::parse(text.str());
  for (const json::value& vector : document.at("vectors").as_array()) {
    const json::value* exchanges = vector.as_object().if_contains("exchanges");
    if (!exchanges) continue;
    for (const json::value& exchange : exchanges->as_array()) {
      const auto bytes = [&](const char* key) {
        const json::value* hex = exchange.as_object().if_contains(key);
        return hex && hex->is_string() ? wire::from_hex(std::string(hex->as_string())).value_or(ByteVector{}) : ByteVector{};
      };
      ByteVector answer = bytes("rx");
      ByteVector request = bytes("tx");
      std::vector<Repair> repairs = fitting_repairs(request, answer);
      result.push_back({std::move(request), std::move(answer), std::move(repairs)});
    }
  }
  return result;
}

// --- The input ---

class Input {
 public:
  explicit Input(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t first = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return first;
  }
  unsigned word() {
    const unsigned high = byte();
    return (high << 8U) | byte();
  }
  ByteVector take(std::size_t count) {
    const Bytes taken = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return {taken.begin(), taken.end()};
  }

 private:
  Bytes bytes_;
};

enum Control : unsigned { changes = 0x07, repaired = 0x08, raw = 0x10, silent = 0x20, in_pieces = 0x40 };

ByteVector answer_from(Input& input, unsigned control, const Exchange& recorded) {
  if (control & raw) return input.take(input.byte());
  if (control & silent) return {};
  ByteVector answer = recorded.answer;
  for (unsigned i = 0; i < (control & changes) && !answer.empty(); ++i) {
    const std::size_t place = input.word() % answer.size();
    answer[place] = input.byte();
  }
  if (control & repaired) {
    for (const Repair repair : recorded.repairs) repair(recorded.request, answer);
  }
  return answer;
}

ScriptedStream::Answer answer(Input& input, const Exchange& recorded) {
  const unsigned control = input.byte();
  ByteVector bytes = answer_from(input, control, recorded);
  if (!(control & in_pieces)) return {{std::move(bytes), 20ms}};
  ScriptedStream::Answer pieces;
  constexpr std::size_t size = 7;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const Bytes piece = Bytes(bytes).subspan(at, std::min(size, bytes.size() - at));
    pieces.push_back({ByteVector(piece.begin(), piece.end()), 9ms});
  }
  return pieces;
}

// --- What must hold ---

[[noreturn]] void broken(const char* what) {
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_numbers(const Battery& battery) {
  const auto finite = [](const std::optional<double>& value) { return !value || std::isfinite(*value); };
  for (const auto& value : {battery.voltage, battery.current, battery.soc, battery.soh, battery.capacity, battery.capacity_remaining,
                            battery.cell_min, battery.cell_max, battery.mos_temperature}) {
    if (!finite(value)) broken("a value is no number");
  }
  for (const Cell& cell : battery.cells) {
    if (!finite(cell.voltage)) broken("a cell voltage is no number");
  }
  if (!battery.cells.empty() && battery.cell_count && battery.cells.size() != *battery.cell_count) broken("number of cells");
}

// False when the conversation failed as it may.
asio::awaitable<bool> succeeds(asio::awaitable<void> task) {
  try {
    co_await std::move(task);
  } catch (const BmsError&) {
    co_return false;
  }
  co_return true;
}

// --- A run ---

enum Option : unsigned { replay = 0x01, thorough = 0x02, shared = 0x04, configured = 0x08, last_probe = 0x10, inverted = 0x20 };

class Run {
 public:
  Run(const DriverEntry& entry, const std::vector<Exchange>& recorded, Input input)
      : recorded_(recorded), input_(input), options_(input_.byte()), link_(stream_) {
    if (options_ & inverted) config_.invert_current_measurement = -1;
    const Probe& probe = (options_ & last_probe) ? entry.probes.back() : entry.probes.front();
    stream_.configure(probe.line);
    driver_ = entry.make({.link = link_,
                          .config = config_,
                          .address = probe.address,
                          .address_configured = (options_ & configured) != 0,
                          .shared_line = (options_ & shared) != 0,
                          .type_configured = (options_ & configured) != 0});
  }

  asio::awaitable<void> go() {
    if (options_ & replay) {
      co_await replay_all();
    } else {
      co_await converse();
    }
  }

 private:
  asio::awaitable<void> replay_all() {
    for (int i = 0; i < 32 && !input_.empty() && !recorded_.empty(); ++i) {
      const Exchange& exchange = recorded_[input_.word() % recorded_.size()];
      stream_.set_responder(
          [&, first = true](Bytes) mutable { return std::exchange(first, false) ? answer(input_, exchange) : ScriptedStream::Answer{}; });
      const Battery before = driver_->battery();
      const bool taken = co_await succeeds(driver_->replay(exchange.request));
      if (!taken && !(driver_->battery() == before)) broken("a refused answer changed the battery");
    }
  }

  asio::awaitable<void> converse() {
    stream_.set_responder([this](Bytes request) -> ScriptedStream::Answer {
      if (input_.empty() || ++requests_ > most_requests) {
        stream_.unplug();
        return {};
      }
      // Answers to one request differ between records: they take turns.
      const auto fits = [&](const Exchange& exchange) { return std::ranges::equal(exchange.request, request); };
      const auto from = recorded_.begin() + static_cast<std::ptrdiff_t>(recorded_.empty() ? 0 : next_ % recorded_.size());
      auto found = std::find_if(from, recorded_.end(), fits);
      if (found == recorded_.end()) found = std::find_if(recorded_.begin(), from, fits);
      const bool known = found != recorded_.end() && fits(*found);
      if (known) next_ = static_cast<std::size_t>(found - recorded_.begin()) + 1;
      return answer(input_, known ? *found : Exchange{});
    });
    bool mine = false;
    try {
      mine = co_await driver_->identify((options_ & thorough) ? Effort::thorough : Effort::quick);
    } catch (const LinkError&) {
      co_return;
    }
    if (!mine) co_return;
    check_reading();
    for (int poll = 0; poll < 3; ++poll) co_await refresh();
    const Controls controls = driver_->controls();
    using Kind = Command::Kind;
    for (const auto& [offered, kind] :
         {std::pair{controls.charge_switch, Kind::charge}, std::pair{controls.discharge_switch, Kind::discharge},
          std::pair{controls.balancer_switch, Kind::balance}, std::pair{controls.heater_switch, Kind::heat},
          std::pair{controls.soc, Kind::soc}}) {
      if (offered) co_await succeeds(driver_->execute({kind, 1}));
    }
    co_await refresh();
  }

  asio::awaitable<void> refresh() {
    const Battery before = driver_->battery();
    const bool good = co_await succeeds(driver_->refresh());
    if (good) {
      check_reading();
    } else if (!(driver_->battery() == before)) {
      broken("a failed poll changed the battery");
    }
    stream_.advance(20s);
  }

  void check_reading() {
    check_numbers(driver_->battery());
    if (const char* what = implausible(driver_->battery())) broken(what);
  }

  static constexpr int most_requests = 400;

  const std::vector<Exchange>& recorded_;
  Input input_;
  unsigned options_;
  Config config_ = default_config();
  ScriptedStream stream_;
  ByteLink link_;
  std::unique_ptr<Driver> driver_;
  std::size_t next_ = 0;
  int requests_ = 0;
};

// --- The program ---

struct Target {
  const DriverEntry* entry;
  std::vector<Exchange> recorded;
};

std::vector<Target> targets;

/// Talks in bytes, so that this program can play its device.
bool is_fuzzed(const DriverEntry& entry) {
  return entry.transport == Transport::serial || entry.transport == Transport::spi;
}

std::string program_for(const DriverEntry& entry) {
  std::string name = "fuzz-driver-" + std::string(entry.type);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return c == '_' ? '-' : static_cast<char>(std::tolower(c)); });
  return name;
}

Target target_for(const DriverEntry& entry) {
  for (const auto& file : std::filesystem::directory_iterator(SB_TEST_VECTORS)) {
    if (!file.is_regular_file()) continue;
    std::ifstream stream(file.path());
    std::string head(200, '\0');
    stream.read(head.data(), static_cast<std::streamsize>(head.size()));
    if (head.find("\"" + std::string(entry.type) + "\"") != std::string::npos) return {&entry, load(file.path())};
  }
  return {&entry, {}};
}

void write_seed(const std::filesystem::path& folder, const std::string& name, const ByteVector& bytes) {
  std::ofstream file(folder / name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// One conversation with undamaged answers, and each recorded exchange.
void write_seeds(const std::filesystem::path& folder, const Target& target) {
  std::filesystem::create_directories(folder);
  for (const unsigned options : {0U, static_cast<unsigned>(last_probe), static_cast<unsigned>(shared | configured)}) {
    ByteVector conversation(400, 0);
    conversation[0] = static_cast<std::uint8_t>(options);
    write_seed(folder, "conversation-" + std::to_string(options), conversation);
  }
  constexpr std::size_t most = 120;
  const std::size_t step = target.recorded.size() / most + 1;
  for (std::size_t i = 0; i < target.recorded.size(); i += step) {
    const auto high = static_cast<std::uint8_t>(i >> 8U), low = static_cast<std::uint8_t>(i);
    write_seed(folder, "exchange-" + std::to_string(i), {replay, high, low, 0});
    write_seed(folder, "changed-" + std::to_string(i), {replay, high, low, repaired | 2, 0, 9, 1, 0, 10, 2});
  }
}

void prepare(const std::filesystem::path& program, const std::filesystem::path& corpus) {
  for (const DriverEntry& entry : all_drivers()) {
    if (!is_fuzzed(entry)) continue;
    const std::string name = program_for(entry);
    const std::filesystem::path link = program.parent_path() / name;
    std::filesystem::remove(link);
    std::filesystem::create_hard_link(program, link);
    write_seeds(corpus / name, target_for(entry));
  }
}

}  // namespace

}  // namespace serialbattery::fuzz

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  using namespace serialbattery;
  spdlog::set_level(spdlog::level::off);
  const std::filesystem::path program = (*argv)[0];
  if (*argc == 3 && std::string_view((*argv)[1]) == "--prepare") {
    fuzz::prepare(program, (*argv)[2]);
    std::exit(0);
  }
  for (const DriverEntry& entry : all_drivers()) {
    const bool wanted = program.filename() == "fuzz-driver" || program.filename() == fuzz::program_for(entry);
    if (wanted && fuzz::is_fuzzed(entry)) fuzz::targets.push_back(fuzz::target_for(entry));
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace serialbattery::fuzz;
  Input input({data, size});
  if (targets.empty()) return 0;
  const Target& target = targets.size() == 1 ? targets.front() : targets[input.byte() % targets.size()];
  Run run(*target.entry, target.recorded, input);
  serialbattery::test::run(run.go());
  return 0;
}
