// What the registers of Seplos V3 packs hold; products and conversation: seplosv3.cpp.
#pragma once

#include <boost/json/object.hpp>

#include "bms/modbus_rtu.hpp"
#include "serialbattery/driver.hpp"

namespace serialbattery::seplosv3 {

constexpr modbus::Block pack = modbus::inputs(0x1000, 18), cells = modbus::inputs(0x1100, 26);
constexpr modbus::Block states{modbus::Function::read_coils, 0x1200, 0x90};
constexpr modbus::Block factory_name = modbus::inputs(0x1700, 10), device_name = modbus::inputs(0x170A, 10);
constexpr modbus::Block firmware = modbus::inputs(0x1714, 1), serial = modbus::inputs(0x1715, 15);

constexpr unsigned most_cells = 16;

/// Cells in series as the parameters tell them; nullopt when they were not read or tell nothing sensible.
std::optional<unsigned> told_cells(const modbus::Registers& registers);
/// Cells with a voltage.
unsigned seen_cells(const modbus::Registers& registers);

/// Says everything that is told, but for the unique identifier. Throws FrameError(implausible); `into` may then be partly changed.
void decode(const modbus::Registers& registers, unsigned cell_count, Battery& into, boost::json::object& details);

/// All events in one word; those of them that the log explains.
std::uint64_t events_of(const modbus::Registers& registers);
inline constexpr NamedBit fault_names[] = {{56, "temperature sensor broken"},
                                           {57, "front end broken"},
                                           {58, "charge FET broken"},
                                           {59, "discharge FET broken"},
                                           {60, "cell broken"},
                                           {61, "sense wire broken"},
                                           {62, "key broken"},
                                           {63, "fire sensor alarms"}};
constexpr std::uint64_t quiet_events = 0x00FF'FFFF'FFFF'FFFF;

}  // namespace serialbattery::seplosv3
