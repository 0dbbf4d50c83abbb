// JK PB "inverter" boards on RS485: Modbus-like requests, 300-byte answers with their own mark, 115200 baud
// (docs: "JK BMS RS485 Modbus" V1.0 and V1.1).
//
//   request  address  10  16 RR  00 01  02  00 00  CRC     RR: 1E settings, 20 status, 1C about
//   answer   55 AA EB 90  type  variant  data (293)  sum8   then   address  10  16 RR  00 01  CRC
//
// The payload is little endian. Register 0x1000 + n of a type's block is payload offset 6 + n, big endian, for functions 03 and 10.
#include "simulator/encode.hpp"
#include "simulator/jkbms_pb_content.hpp"
#include "simulator/modbus.hpp"

namespace serialbattery::simulator::jkbms_pb {

namespace {

class JkbmsPb final : public Bms {
 public:
  explicit JkbmsPb(std::uint8_t address) : Bms(address), content_(pack(), properties(), address) { bind_quirks(); }

  [[nodiscard]] Duration talk_interval() const override { return bus_master_ ? 4400ms : Duration::zero(); }

 protected:
  Input recognise(Bytes input) const override { return modbus::recognise(input, address()); }

  Answer answer(Bytes request, TimePoint now) override {
    const bool too_early = std::min(gap_before(request, now), overheard_gap(request, now)) < gap_needed_;
    if (too_early && !late_acknowledgement_) return {};
    Answer result = modbus::function(request) == modbus::read_holding ? read_registers(request) : write_registers(request);
    if (too_early && !result.empty()) {
      ByteVector mixed = modbus::acknowledgement(last_asked_, wire::u16be(request, 2), 1);
      append(mixed, result.front().bytes);
      result.front().bytes = std::move(mixed);
    }
    last_asked_ = address();
    return result;
  }

  void overhear(Bytes request, TimePoint now) override {
    last_asked_ = request[0];
    // The other unit answers with as many bytes as this one would.
    overheard_until_ = now + 10ms + byte_time(line()) * (payload_size + 8);
  }

  Answer refuse(Bytes request, std::uint8_t code) override { return modbus::exception(reply_address(), request, code); }

  Answer announce(TimePoint /*now*/) override {
    Answer frames;
    for (const Kind& kind : {status_kind, settings_kind}) {
      frames.push_back({20ms, payload(kind)});
      append(frames.back().bytes, modbus::acknowledgement(0, kind.trigger, 1));
    }
    return frames;
  }

 private:
  void bind_quirks();

  [[nodiscard]] Duration overheard_gap(Bytes request, TimePoint now) const {
    return now - byte_time(line()) * request.size() - overheard_until_;
  }

  [[nodiscard]] Image image(const Kind& kind, Image::Order order) const {
    const auto shown = static_cast<std::uint8_t>(wrong_type_ ? kind.type % 3 + 1 : kind.type);
    return content_.image(kind, shown, variant_, order);
  }

  [[nodiscard]] ByteVector payload(const Kind& kind) const { return image(kind, Image::Order::little).finished(); }

  Answer write_registers(Bytes request) {
    const std::uint16_t start = wire::u16be(request, 2);
    const std::uint16_t count = wire::u16be(request, 4);
    if (modbus::function(request) != modbus::write_multiple) return modbus::exception(reply_address(), request, 1);
    for (const Kind& kind : {settings_kind, status_kind, about_kind}) {
      if (start == kind.trigger && count == 1) return send(kind);
    }
    if (!content_.store(start, count, modbus::written(request))) return modbus::exception(reply_address(), request, 2);
    return {Part{8ms, modbus::acknowledgement(reply_address(), start, count)}};
  }

  Answer send(const Kind& kind) {
    if (kind.type == about_kind.type && about_silent_) return {};
    if (count_up_) ++variant_;
    const ByteVector pad(pad_ ? 1 : 0, 0x00);
    ByteVector tail = pad;
    if (!no_acknowledgement_) {
      ByteVector acknowledgement = modbus::acknowledgement(acknowledge_as_ == 0 ? reply_address() : acknowledge_as_,
                                                           acknowledge_register_ == 0 ? kind.trigger : acknowledge_register_, 1);
      if (acknowledgement_crc_) acknowledgement.back() ^= 0x01U;
      append(tail, acknowledgement);
      append(tail, pad);
    }
    Answer result = {Part{10ms, payload(kind)}};
    if (!tail.empty()) result.push_back({Duration::zero(), std::move(tail)});
    return result;
  }

  Answer read_registers(Bytes request) const {
    const std::uint16_t start = wire::u16be(request, 2);
    const std::size_t bytes = wire::u16be(request, 4) * std::size_t{2};
    for (const Kind& kind : {settings_kind, status_kind, about_kind}) {
      const std::size_t offset = start - kind.base + 6U;
      if (start < kind.base || bytes == 0 || bytes > 80 || offset + bytes >= payload_size) continue;
      const Image content = image(kind, Image::Order::big);
      return modbus::read_answer(reply_address(), request, content.bytes().subspan(offset, bytes));
    }
    return modbus::exception(reply_address(), request, 2);
  }

  Content content_;
  // the wire
  std::uint8_t variant_ = 0;
  bool count_up_ = false;
  bool pad_ = false;
  bool wrong_type_ = false;
  bool about_silent_ = false;
  bool no_acknowledgement_ = false;
  bool acknowledgement_crc_ = false;
  std::uint8_t acknowledge_as_ = 0;
  std::uint16_t acknowledge_register_ = 0;
  bool bus_master_ = false;
  Duration gap_needed_ = 50ms;
  bool late_acknowledgement_ = false;
  std::uint8_t last_asked_ = 0;
  TimePoint overheard_until_{};
};

void JkbmsPb::bind_quirks() {
  Properties& table = properties();
  table.number("variant", variant_);      // payload byte 5
  table.flag("count_up", count_up_);      // ... counts
  table.flag("pad", pad_);                // 310 bytes instead of 308
  table.flag("wrong_type", wrong_type_);  // answers with the frame of another request's type
  table.flag("about_silent", about_silent_);
  table.flag("no_acknowledgement", no_acknowledgement_);
  table.flag("acknowledgement_crc", acknowledgement_crc_);      // wrong CRC in it
  table.number("acknowledge_as", acknowledge_as_);              // other address in it; 0: off
  table.number("acknowledge_register", acknowledge_register_);  // other register in it; 0: off
  table.flag("bus_master", bus_master_);                        // talks unasked as address 0
  table.milliseconds("gap_needed", gap_needed_);                // a request closer to the last answer on the bus is dropped ...
  table.flag("late_acknowledgement", late_acknowledgement_);    // ... or answered behind a late acknowledgement of the unit before
}

const ModelRegistration registration{{"Jkbms_pb", "JK PB inverter BMS, RS485, 55 AA EB 90 frames", {115200}, 1, make_model<JkbmsPb>}};

}  // namespace

}  // namespace serialbattery::simulator::jkbms_pb
