// Life of a battery service: objects, name, changes, writes.
#include "venus/battery_service.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "venus/bus.hpp"
#include "venus/path_table.hpp"

namespace serialbattery::venus {
namespace {

constexpr std::chrono::milliseconds flush_limit{500};
/// So that every client sees the name go before it comes back.
constexpr std::chrono::milliseconds pause_between_names{1000};

Command::Kind switch_of(Write write) {
  switch (write) {
    case Write::discharge_off: return Command::Kind::discharge;
    case Write::balance_off: return Command::Kind::balance;
    case Write::heat_off: return Command::Kind::heat;
    default: return Command::Kind::charge;
  }
}

}  // namespace

struct BatteryService::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& io, ServiceInfo about, const Config& configuration, const Controls& possible, Handlers actions)
      : info(std::move(about)),
        config(configuration),
        controls(possible),
        handlers(std::move(actions)),
        pause(io),
        bus(Bus::connect(io, [this] {
          if (handlers.disconnected) handlers.disconnected();
        })) {}

  void build();
  void show(const control::Snapshot& snapshot);
  [[nodiscard]] bool outdated() const;
  asio::awaitable<void> announce();
  asio::awaitable<void> withdraw();
  asio::awaitable<void> republish();
  void schedule_republish();
  asio::awaitable<std::optional<Value>> write(std::size_t index, Value value);
  asio::awaitable<std::optional<Value>> apply(Write what, Value value);
  void stop();

  ServiceInfo info;
  const Config& config;
  Controls controls;
  Handlers handlers;
  asio::steady_timer pause;
  std::shared_ptr<Bus> bus;
  std::shared_ptr<ItemTree> tree;
  std::optional<Publisher> publisher;
  control::Snapshot pending;  // what to build from: the first snapshot, or the latest one during a pause
  unsigned cells_built = 0;
  int instance_built = 0;
  std::int64_t soc_target = 100;
  bool announced = false;
  bool republishing = false;
  bool leaving = false;
};

void BatteryService::Impl::build() {
  if (tree) tree->detach();
  auto table = make_path_table({info, config, controls, pending.cell_count});
  cells_built = pending.cell_count;
  instance_built = info.device_instance;
  // Switches and targets keep their values when the tree is built anew.
  if (tree) {
    for (auto& item : table.items) {
      const auto before = tree->find(item.path);
      if (before && item.access == Access::writable) item.value = tree->item(*before).value;
    }
  }
  publisher.emplace(std::move(table.bindings));
  tree = ItemTree::create(bus, std::move(table.items), [weak = weak_from_this()](std::size_t index, Value value) {
    const auto self = weak.lock();
    if (!self) throw std::runtime_error("the service is gone");
    return self->write(index, std::move(value));
  });
  show(pending);
  tree->drop_changes();
}

void BatteryService::Impl::show(const control::Snapshot& snapshot) {
  publisher->update(*tree, {info, config, snapshot});
  if (config.publish_battery_data_as_json && tree->has_changes()) {
    if (const auto index = tree->find(json_path)) tree->set(*index, std::string_view(json_dump(*tree)));
  }
}

/// What clients read only once is not what they would have to read now.
bool BatteryService::Impl::outdated() const {
  return info.device_instance != instance_built || (pending.cell_count > 0 && pending.cell_count != cells_built);
}

asio::awaitable<void> BatteryService::Impl::announce() {
  const auto self = shared_from_this();
  leaving = false;
  build();
  const bool owned = co_await bus->request_name(info.service_name);
  if (!owned) throw NameTaken(info.service_name + " is owned by another program");
  announced = true;
  if (outdated()) {
    schedule_republish();
  } else {
    show(pending);  // may have been published while the name was on its way
    tree->send_changes();
  }
  spdlog::info("D-Bus: {} is on the bus, instance {}, {} items", info.service_name, info.device_instance, tree->size());
}

asio::awaitable<void> BatteryService::Impl::withdraw() {
  const auto self = shared_from_this();
  if (!announced) co_return;
  announced = false;
  try {
    co_await bus->release_name(info.service_name, flush_limit);
  } catch (const sdbus::Error& error) {
    spdlog::warn("D-Bus: {} not released in time: {}", info.service_name, error.what());
  }
}

void BatteryService::Impl::schedule_republish() {
  if (republishing || leaving || !announced) return;
  republishing = true;
  asio::co_spawn(bus->io(), republish(), [self = shared_from_this()](std::exception_ptr error) {
    self->republishing = false;
    if (!error || self->leaving) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& problem) {
      // Without the name the battery is invisible; the supervisor's restart is the way out.
      spdlog::critical("D-Bus: {} could not be published again: {}", self->info.service_name, problem.what());
    }
    if (self->handlers.disconnected) self->handlers.disconnected();
  });
}

asio::awaitable<void> BatteryService::Impl::republish() {
  const auto self = shared_from_this();
  while (!leaving && outdated()) {
    co_await withdraw();
    pause.expires_after(pause_between_names);
    co_await pause.async_wait(asio::use_awaitable);
    if (!leaving) co_await announce();
  }
}

asio::awaitable<std::optional<Value>> BatteryService::Impl::write(std::size_t index, Value value) {
  const auto self = shared_from_this();
  const auto& row = *publisher->binding(index).row;
  auto stored = co_await apply(row.write, std::move(value));
  if (stored) spdlog::info("D-Bus: {} was written, now {}", row.path, text_of(*stored, plain_text));
  co_return stored;
}

asio::awaitable<std::optional<Value>> BatteryService::Impl::apply(Write what, Value value) {
  auto result = WriteResult::refused;
  const auto* integer = std::get_if<std::int64_t>(&value);
  switch (what) {
    case Write::none: break;
    case Write::custom_name: {
      const auto name = std::get<std::string>(value);
      if (handlers.custom_name) result = co_await handlers.custom_name(name);
      if (result == WriteResult::accepted) info.custom_name = name;
      break;
    }
    case Write::clear_history:
      if (!std::in_range<int>(*integer)) break;
      if (handlers.clear_history) result = co_await handlers.clear_history(static_cast<int>(*integer));
      value = std::int64_t{0};
      break;
    case Write::charge_off:
    case Write::discharge_off:
    case Write::balance_off:
    case Write::heat_off:
      if (*integer != 0 && *integer != 1) break;
      if (handlers.switch_control) result = co_await handlers.switch_control({switch_of(what), *integer == 0 ? 1.0 : 0.0});
      break;
    case Write::soc_target:
      soc_target = std::clamp<std::int64_t>(*integer, 0, 100);
      value = soc_target;
      result = WriteResult::accepted;
      break;
    case Write::soc_apply:
      if (handlers.set_soc) result = co_await handlers.set_soc(static_cast<double>(soc_target));
      value = std::int64_t{0};
      break;
  }
  co_return result == WriteResult::accepted ? std::optional(std::move(value)) : std::nullopt;
}

void BatteryService::Impl::stop() {
  leaving = true;
  announced = false;
  pause.cancel();
  if (tree) tree->detach();
  bus->close();
}

BatteryService::BatteryService(asio::io_context& io, ServiceInfo info, const Config& config, const Controls& controls, Handlers handlers)
    : impl_(std::make_shared<Impl>(io, std::move(info), config, controls, std::move(handlers))) {}

BatteryService::~BatteryService() {
  impl_->stop();
}

void BatteryService::publish(const control::Snapshot& snapshot) {
  if (!impl_->announced) {
    impl_->pending = snapshot;
    return;
  }
  if (snapshot.cell_count != impl_->cells_built && snapshot.cell_count > 0) {
    spdlog::warn("D-Bus: {} has {} cells now instead of {}; publishing it anew", service_name(), snapshot.cell_count, impl_->cells_built);
    impl_->pending = snapshot;
    impl_->schedule_republish();
    return;
  }
  impl_->show(snapshot);
  impl_->tree->send_changes();
}

asio::awaitable<void> BatteryService::announce() {
  return impl_->announce();
}

asio::awaitable<void> BatteryService::withdraw() {
  impl_->leaving = true;
  return impl_->withdraw();
}

void BatteryService::set_instance(int instance) {
  if (instance == impl_->info.device_instance) return;
  spdlog::warn("D-Bus: the instance of {} changes from {} to {}; publishing it anew", service_name(), impl_->info.device_instance,
               instance);
  impl_->info.device_instance = instance;
  impl_->schedule_republish();
}

void BatteryService::set_custom_name(const std::string& name) {
  impl_->info.custom_name = name;
  if (!impl_->announced) return;
  if (const auto index = impl_->tree->find("/CustomName")) impl_->tree->set(*index, std::string_view(name));
  impl_->tree->send_changes();
}

bool BatteryService::announced() const {
  return impl_->announced;
}
const std::string& BatteryService::service_name() const {
  return impl_->info.service_name;
}
std::string BatteryService::unique_name() const {
  return impl_->bus->unique_name();
}

}  // namespace serialbattery::venus
