// The terminal view as a pure function of what a service says.
#include "daemon/status_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "daemon/tools.hpp"

namespace serialbattery::test {

namespace {

using daemon::render_status;
using daemon::StatusItems;
using testing::HasSubstr;
using testing::Not;

StatusItems battery() {
  StatusItems items{{"/ProductName", std::string("SerialBattery X @ ttyUSB0 (LLT/JBD)")},
                    {"/CustomName", std::string("Garage")},
                    {"/Dc/0/Voltage", 52.8},
                    {"/Dc/0/Current", std::monostate{}},
                    {"/Soc", 55.5},
                    {"/Info/MaxChargeVoltage", 55.2},
                    {"/Info/ChargeMode", std::string("Bulk │ Linear Mode")},
                    {"/System/MinCellVoltage", 3.29},
                    {"/System/MaxCellVoltage", 3.31},
                    {"/Alarms/LowSoc", std::int64_t{0}},
                    {"/Alarms/HighCellVoltage", std::int64_t{2}}};
  for (int n = 1; n <= 16; ++n) {
    items["/Voltages/Cell" + std::to_string(n)] = n == 3 ? 3.31 : n == 5 ? 3.29 : 3.30;
    items["/Balances/Cell" + std::to_string(n)] = std::int64_t{n == 3};
  }
  return items;
}

std::size_t widest(const std::string& text) {
  std::size_t most = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto columns = std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
    most = std::max(most, static_cast<std::size_t>(columns));
  }
  return most;
}

}  // namespace

TEST(StatusView, ShowsValuesCellsAndAlarms) {
  const std::string text = render_status("com.victronenergy.battery.ttyUSB0", battery(), 100);
  EXPECT_THAT(text, HasSubstr("Garage - SerialBattery"));
  EXPECT_THAT(text, HasSubstr("52.80 V"));
  EXPECT_THAT(text, HasSubstr("-- A")) << "unknown is not zero";
  EXPECT_THAT(text, HasSubstr(" 3+b 3.310"));
  EXPECT_THAT(text, HasSubstr(" 5-  3.290"));
  EXPECT_THAT(text, HasSubstr("HighCellVoltage ALARM"));
  EXPECT_THAT(text, Not(HasSubstr("LowSoc")));
}

TEST(StatusView, FitsAPhone) {
  EXPECT_LE(widest(render_status("com.victronenergy.battery.ttyUSB0", battery(), 40)), 48U);
  EXPECT_LE(widest(render_status("com.victronenergy.battery.ttyUSB0", {}, 40)), 40U);
}

TEST(ListBms, NamesEveryType) {
  std::ostringstream out;
  EXPECT_EQ(daemon::list_bms(out), 0);
  for (const char* type : {"LltJbd", "Jkbms", "Jkbms_pb", "Daly"}) EXPECT_THAT(out.str(), HasSubstr(type));
}

}  // namespace serialbattery::test
