// Real captured conversations, played on a pseudo-terminal, served by the real program: every decoded value stands on D-Bus.
#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "e2e/rig.hpp"
#include "simulator/capture.hpp"

namespace serialbattery::test {

namespace {

namespace json = boost::json;

struct Captured {
  const char* type;
  const char* file;
  const char* vector;
  unsigned baud;
  friend void PrintTo(const Captured& s, std::ostream* out) { *out << s.type; }
};

class RealCapture : public Served, public testing::WithParamInterface<Captured> {
 protected:
  static std::filesystem::path file() { return std::filesystem::path(SB_TEST_VECTORS) / GetParam().file; }

  static json::object expected() {
    std::ifstream stream(file());
    std::stringstream text;
    text << stream.rdbuf();
    const json::value document = json::parse(text.str());
    for (const json::value& vector : document.at("vectors").as_array()) {
      if (vector.at("name").as_string() == GetParam().vector) return vector.at("expect").as_object();
    }
    throw std::runtime_error("no such vector");
  }

  void expect_near(const std::string& path, double value, double tolerance) {
    const auto got = number(*client_, path);
    ASSERT_TRUE(got) << path;
    EXPECT_NEAR(*got, value, tolerance) << path;
  }
};

}  // namespace

TEST_P(RealCapture, StandsOnTheBus) {
  std::vector<std::unique_ptr<simulator::Device>> devices;
  devices.push_back(simulator::make_player(simulator::load_recording(file(), GetParam().vector)));
  rig_.connect(std::make_unique<simulator::Bus>(simulator::Line{GetParam().baud}, std::move(devices)));
  rig_.configure(std::string("BMS_TYPE = ") + GetParam().type + "\n");
  start();
  const json::object expect = expected();
  expect_near("/Dc/0/Voltage", expect.at("voltage").to_number<double>(), 0.006);
  expect_near("/Dc/0/Current", expect.at("current").to_number<double>(), 0.006);
  expect_near("/Soc", expect.at("soc").to_number<double>(), 0.006);
  expect_near("/System/NrOfCellsPerBattery", expect.at("cell_count").to_number<double>(), 0);
  const json::array& cells = expect.at("cell_voltages").as_array();
  for (std::size_t i = 0; i < cells.size(); ++i)
    expect_near("/Voltages/Cell" + std::to_string(i + 1), cells[i].to_number<double>(), 0.0006);
  if (const json::value* capacity = expect.if_contains("capacity")) expect_near("/InstalledCapacity", capacity->to_number<double>(), 0.001);
  for (const auto& sensor : expect.at("temperatures").as_object()) {
    if (sensor.value().is_null()) continue;
    const std::string path = sensor.key() == "mos" ? "/System/MOSTemperature" : "/System/Temperature" + std::string(sensor.key().substr(1));
    expect_near(path, sensor.value().to_number<double>(), 0.051);
  }
  if (expect.at("charge_fet") == json::value(false)) {
    EXPECT_EQ(number(*client_, "/Io/AllowToCharge"), 0);
  }
  EXPECT_TRUE(program_->running());
}

INSTANTIATE_TEST_SUITE_P(All, RealCapture,
                         testing::Values(Captured{"LltJbd", "lltjbd.json", "sp04s034-4s-idle-full", 9600},
                                         Captured{"Jkbms", "jkbms.json", "syssi_14s_charging_2A08", 115200},
                                         Captured{"Jkbms_pb", "jkbms_pb.json", "pb2a16s15p_8s_addr1_full_session", 115200},
                                         Captured{"Daly", "daly.json", "14S idle, complete poll, host 0x40", 9600}),
                         [](const auto& capture) { return std::string(capture.param.type); });

}  // namespace serialbattery::test
