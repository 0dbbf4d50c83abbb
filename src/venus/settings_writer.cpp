// Writing a battery's entry: one call under way per setting, the newest value wins, failures never reach the poll cycle. Spec B.6.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "venus/settings_entry.hpp"

namespace serialbattery::venus {
namespace {

constexpr std::chrono::milliseconds flush_limit{500};

const char* name_of(Saved which) {
  switch (which) {
    case Saved::allow_max_voltage: return entry::allow_max_voltage;
    case Saved::max_voltage_start_time: return entry::max_voltage_start_time;
    case Saved::soc_calc: return entry::soc_calc;
    case Saved::soc_reset_last_reached: return entry::soc_reset_last_reached;
    case Saved::history: return entry::history;
    case Saved::count: break;
  }
  return "";
}

}  // namespace

/// The Python driver created two of the settings as text or as number, whatever it held at that moment: the existing type is kept,
/// a new one is a text, and "none" is the empty text (0 where a number must stand). Spec B.2.
Value SettingsEntry::Impl::encoded(Saved which, const control::Persisted& state) const {
  const auto type = stored_types.find(name_of(which));
  const bool as_text = type == stored_types.end() || type->second == Value(std::string()).index();
  const bool as_integer = type != stored_types.end() && type->second == Value(std::int64_t{0}).index();
  switch (which) {
    case Saved::allow_max_voltage: return std::int64_t{state.allow_max_voltage ? 1 : 0};
    case Saved::soc_reset_last_reached: return state.soc_reset_last_reached;
    case Saved::history: return history_to_json(state.history);
    case Saved::max_voltage_start_time: {
      if (as_text) return state.max_voltage_start_time ? std::to_string(*state.max_voltage_start_time) : std::string();
      const auto time = state.max_voltage_start_time.value_or(0);
      return as_integer ? Value(time) : Value(static_cast<double>(time));
    }
    case Saved::soc_calc: {
      if (!state.soc_calc) return as_text ? Value(std::string()) : Value();
      const double soc = rounded(*state.soc_calc, 3).value_or(0);
      if (as_text) return plain_number(soc);
      return as_integer ? Value(static_cast<std::int64_t>(soc)) : Value(soc);
    }
    case Saved::count: break;
  }
  return {};
}

void SettingsEntry::Impl::save(const control::Persisted& state, Occasion occasion, TimePoint moment) {
  current = state;
  now = moment;
  if (!persistent || stopped) return;
  renew_last_seen();
  if (std::exchange(incomplete, false)) asio::co_spawn(client->bus->io(), reattach(), asio::detached);
  const auto reason = std::exchange(resend, false) ? Occasion::all : occasion;
  for (const auto which : cadence->due(state, reason, moment)) {
    auto value = encoded(which, state);
    if (is_valid(value)) submit(name_of(which), std::move(value), which);
  }
}

/// By the wall clock, so that a clock that is set right is followed at once: other batteries judge by it which groups are stale.
void SettingsEntry::Impl::renew_last_seen() {
  const auto wall = client->options.wall();
  if (std::abs(wall - last_seen) < client->options.heartbeat.count()) return;
  last_seen = wall;
  submit(entry::last_seen, wall, std::nullopt);
}

void SettingsEntry::Impl::submit(const std::string& name, Value value, std::optional<Saved> which) {
  auto& writing_one = writings[name];
  writing_one.next = std::move(value);
  writing_one.which = which;
  if (!std::exchange(writing_one.in_flight, true)) asio::co_spawn(client->bus->io(), drain(name), asio::detached);
}

asio::awaitable<void> SettingsEntry::Impl::drain(std::string name) {
  const auto self = shared_from_this();
  auto& mine = writings[name];
  while (mine.next) {
    const Value value = *std::exchange(mine.next, std::nullopt);
    std::string cause;
    try {
      const int code = co_await client->store.set(group, name, value);
      if (code != 0) cause = fmt::format("{} refused with {}", name, code);
    } catch (const sdbus::Error& error) {
      cause = error.what();
      if (is_unknown_object(error)) incomplete = true;
    }
    report(cause);
    if (!cause.empty() && mine.which && cadence) cadence->failed(*mine.which, now);
  }
  mine.in_flight = false;
  if (!writing()) idle.cancel();
}

/// Each cause is told once; an empty one means that a write went well.
void SettingsEntry::Impl::report(const std::string& cause) {
  if (cause == last_cause) return;
  if (cause.empty()) {
    spdlog::info("Settings: {} is written again", group);
  } else {
    spdlog::warn("Settings: {} could not be written: {}; tried again later", group, cause);
  }
  last_cause = cause;
}

bool SettingsEntry::Impl::writing() const {
  return std::any_of(writings.begin(), writings.end(), [](const auto& pair) { return pair.second.in_flight; });
}

asio::awaitable<void> SettingsEntry::Impl::flush(control::Persisted state, TimePoint moment) {
  const auto self = shared_from_this();
  save(state, Occasion::all, moment);
  if (!writing()) co_return;
  idle.expires_after(flush_limit);
  boost::system::error_code ignored;
  co_await idle.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<bool> SettingsEntry::Impl::store_custom_name(std::string name) {
  const auto self = shared_from_this();
  if (!persistent) co_return false;
  try {
    const int code = co_await client->store.set(group, entry::custom_name, name);
    if (code != 0) co_return false;
    custom_name = name;
    co_return true;
  } catch (const sdbus::Error& error) {
    spdlog::warn("Settings: the custom name could not be stored: {}", error.what());
  }
  co_return false;
}

}  // namespace serialbattery::venus
