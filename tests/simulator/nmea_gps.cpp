// A GPS receiver: NMEA 0183 sentences once a second, 4800 baud (many run at 9600).
//
//   $GP... , fields with commas , * , two hex digits: exclusive or of everything between $ and *
#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <numeric>

#include "simulator/talker.hpp"

namespace serialbattery::simulator {

namespace {

std::string sentence(std::string_view content) {
  const unsigned sum =
      std::accumulate(content.begin(), content.end(), 0U, [](unsigned x, char c) { return x ^ static_cast<unsigned char>(c); });
  return fmt::format("${}*{:02X}\r\n", content, sum);
}

/// ddmm.mmmm
std::string coordinate(double degrees, int digits) {
  const double whole = std::floor(std::abs(degrees));
  return fmt::format("{:0{}.0f}{:07.4f}", whole, digits, (std::abs(degrees) - whole) * 60);
}

class NmeaGps final : public Talker {
 public:
  explicit NmeaGps(std::uint8_t address) : Talker(address) {
    properties().number("latitude", latitude_, {-90, 90});
    properties().number("longitude", longitude_, {-180, 180});
    properties().flag("fix", fix_);
  }

 protected:
  Answer announce(TimePoint now) override {
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count() % 86400;
    const std::string time = fmt::format("{:02}{:02}{:02}.00", second / 3600, second / 60 % 60, second % 60);
    const std::string place = !fix_ ? ",,,"
                                    : fmt::format("{},{},{},{}", coordinate(latitude_, 2), latitude_ < 0 ? 'S' : 'N',  //
                                                  coordinate(longitude_, 3), longitude_ < 0 ? 'W' : 'E');
    const std::string text = sentence(fmt::format("GPRMC,{},{},{},0.02,31.66,150624,,,A", time, fix_ ? 'A' : 'V', place)) +
                             sentence(fmt::format("GPGGA,{},{},{},08,1.01,499.6,M,48.0,M,,", time, place, fix_ ? 1 : 0)) +
                             sentence("GPGSA,A,3,23,29,07,08,09,18,26,28,,,,,1.94,1.18,1.54") +
                             sentence("GPGSV,1,1,03,10,63,137,17,07,61,098,15,05,59,290,20");
    return {Part{Duration::zero(), {text.begin(), text.end()}}};
  }

 private:
  double latitude_ = 48.1173;
  double longitude_ = 11.5167;
  bool fix_ = true;
};

const ModelRegistration registration{{"NmeaGps", "GPS receiver, NMEA sentences", {4800}, 0, make_model<NmeaGps>}};

}  // namespace

}  // namespace serialbattery::simulator
