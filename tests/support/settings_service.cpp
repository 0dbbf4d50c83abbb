#include "support/settings_service.hpp"

#include <boost/asio/post.hpp>
#include <set>

namespace serialbattery::test {
namespace {

constexpr const char* service_name = "com.victronenergy.settings";
constexpr const char* item = venus::bus_item_interface;
constexpr const char* settings = "com.victronenergy.Settings";

/// The type letter that the service derives from the D-Bus type of a default.
char type_letter(sdbus::Message& message) {
  std::string type;
  std::string contents;
  message.peekType(type, contents);
  if (contents == "i" || contents == "x") return 'i';
  return contents == "d" ? 'f' : contents == "s" ? 's' : char{0};
}

double as_double(const Value& value) {
  const auto number = venus::converted(value, venus::Type::real);
  return number ? std::get<double>(*number) : 0;
}

template <typename T>
void answer(sdbus::MethodCall& call, const T& content) {
  auto reply = call.createReply();
  if constexpr (std::is_same_v<T, Value>) {
    venus::write_variant(reply, content);
  } else {
    reply << content;
  }
  reply.send();
}

Value limit(double number, char type) {
  return number == 0 || type != 'f' ? Value(static_cast<std::int64_t>(number)) : Value(number);
}

void append(sdbus::Message& message, const char* key, const Value& value) {
  message.openDictEntry("sv");
  message << key;
  venus::write_variant(message, value);
  message.closeDictEntry();
}

std::string text_of(const Value& value) {
  return venus::text_of(value, venus::plain_text);
}

}  // namespace

SettingsService::SettingsService(boost::asio::io_context& io, Options options) : io_(io), options_(std::move(options)), write_timer_(io) {}

SettingsService::~SettingsService() {
  stop();
}

void SettingsService::start(Objects objects) {
  bus_ = venus::Bus::connect(io_, nullptr);
  if (objects == Objects::present) show_objects();
  bus_->connection().requestName(service_name);
  bus_->kick();
}

void SettingsService::show_objects() {
  register_group("/");
  update_objects();
}

void SettingsService::stop() {
  if (!bus_) return;
  if (write_pending_) write_file();
  write_timer_.cancel();
  write_pending_ = false;
  objects_.clear();
  unanswered_.clear();
  bus_->close();
  bus_.reset();
  *alive_ = false;
  alive_ = std::make_shared<bool>(true);
}

void SettingsService::behave(Behaviour behaviour, std::chrono::milliseconds slowness) {
  behaviour_ = behaviour;
  slowness_ = slowness;
}

Value SettingsService::value(const std::string& path) const {
  const auto* setting = data.find(path);
  return setting != nullptr ? setting->value : Value();
}

void SettingsService::change(const std::string& path, const Value& value) {
  if (data.set(path, value).changed) {
    signal_value(path, false);
    touched();
  }
}

void SettingsService::remove(const std::string& path) {
  data.remove(path);
  signal_value(path, false);
  touched();
  update_objects();
}

/// Runs the handler now, later or never.
void SettingsService::take(sdbus::MethodCall call, const Answer& handler) {
  ++calls_;
  if (behaviour_ == Behaviour::mute) return unanswered_.push_back(std::move(call));
  if (behaviour_ != Behaviour::slow) return handler(call);
  auto timer = std::make_shared<boost::asio::steady_timer>(io_, slowness_);
  timer->async_wait([this, timer, call, handler, alive = std::weak_ptr<bool>(alive_)](boost::system::error_code) mutable {
    const auto still = alive.lock();
    if (!still) return;
    handler(call);
    bus_->kick();
  });
}

void SettingsService::add_method(sdbus::IObject& object, const char* interface, const char* name, const char* in, const char* out,
                                 Answer handler) {
  object.registerMethod(interface, name, in, out,
                        [this, handler = std::move(handler)](sdbus::MethodCall call) { take(std::move(call), handler); });
}

void SettingsService::register_leaf(const std::string& path) {
  auto object = sdbus::createObject(bus_->connection(), path);
  const auto read = [&](const char* interface, const char* name, const char* out, auto content) {
    add_method(*object, interface, name, "", out,
               [this, path, content](sdbus::MethodCall& call) { answer(call, content(data.all().at(path))); });
  };
  read(item, "GetValue", "v", [](const Setting& s) { return s.value; });
  read(item, "GetText", "s", [](const Setting& s) { return text_of(s.value); });
  read(item, "GetMin", "v", [](const Setting& s) { return limit(s.min, s.type); });
  read(item, "GetMax", "v", [](const Setting& s) { return limit(s.max, s.type); });
  read(item, "GetDefault", "v", [](const Setting& s) { return venus::is_valid(s.initial) ? s.initial : Value(std::int64_t{-1}); });
  read(settings, "GetSilent", "b", [](const Setting& s) { return s.silent; });
  add_method(*object, item, "SetValue", "v", "i", [this, path](sdbus::MethodCall& call) { set_value(path, call); });
  add_method(*object, item, "SetDefault", "", "i", [this, path](sdbus::MethodCall& call) {
    change(path, data.all().at(path).initial);
    answer(call, std::int32_t{0});
  });
  add_method(*object, settings, "GetAttributes", "", "vvvi", [this, path](sdbus::MethodCall& call) {
    const auto& setting = data.all().at(path);
    auto reply = call.createReply();
    venus::write_variant(reply, setting.initial);
    venus::write_variant(reply, limit(setting.min, setting.type));
    venus::write_variant(reply, limit(setting.max, setting.type));
    reply << std::int32_t{setting.silent ? 1 : 0};
    reply.send();
  });
  object->registerSignal(item, "PropertiesChanged", "a{sv}");
  object->finishRegistration();
  objects_[path] = std::move(object);
}

void SettingsService::register_group(const std::string& path) {
  auto object = sdbus::createObject(bus_->connection(), path);
  const std::string base = path == "/" ? "/" : path + "/";
  add_method(*object, item, "GetValue", "", "v", [this, base](sdbus::MethodCall& call) { listing(base, call, false); });
  add_method(*object, item, "GetText", "", "v", [this, base](sdbus::MethodCall& call) { listing(base, call, true); });
  add_method(*object, settings, "AddSetting", "ssvsvv", "i", [this, base](sdbus::MethodCall& call) { add_one(base, call, false); });
  add_method(*object, settings, "AddSilentSetting", "ssvsvv", "i", [this, base](sdbus::MethodCall& call) { add_one(base, call, true); });
  add_method(*object, settings, "AddSettings", "aa{sv}", "aa{sv}", [this, base](sdbus::MethodCall& call) { add_settings(base, call); });
  add_method(*object, settings, "RemoveSettings", "as", "ai", [this, base](sdbus::MethodCall& call) { remove_settings(base, call); });
  if (path == "/") add_method(*object, item, "GetItems", "", "a{sa{sv}}", [this](sdbus::MethodCall& call) { get_items(call); });
  object->finishRegistration();
  objects_[path] = std::move(object);
}

/// Objects follow the data; an object is never destroyed inside one of its own calls.
void SettingsService::update_objects() {
  if (!bus_) return;
  std::set<std::string> groups{"/"};
  for (const auto& [path, setting] : data.all()) {
    if (!objects_.contains(path)) register_leaf(path);
    for (auto slash = path.rfind('/'); slash != 0; slash = path.rfind('/', slash - 1)) groups.insert(path.substr(0, slash));
  }
  for (const auto& group : groups) {
    if (!objects_.contains(group)) register_group(group);
  }
  auto gone = std::make_shared<std::vector<std::unique_ptr<sdbus::IObject>>>();
  for (auto it = objects_.begin(); it != objects_.end();) {
    if (groups.contains(it->first) || data.find(it->first) != nullptr) {
      ++it;
      continue;
    }
    gone->push_back(std::move(it->second));
    it = objects_.erase(it);
  }
  if (!gone->empty()) boost::asio::post(io_, [gone, keep = bus_]() mutable { gone.reset(); });
  bus_->kick();
}

void SettingsService::set_value(const std::string& path, sdbus::MethodCall& call) {
  const auto value = venus::read_variant(call);
  if (behaviour_ == Behaviour::refuse) return answer(call, std::int32_t{-1});
  const auto result = data.set(path, value);
  if (result.changed) {
    signal_value(path, false);
    touched();
    changes_.push_back(path);
  }
  answer(call, std::int32_t{result.code});
}

AddResult SettingsService::add(const NewSetting& wanted) {
  const auto result = data.add(wanted);
  if (result.error == 0 && (result.created || result.attributes_changed)) touched();
  if (result.error == 0 && result.attributes_changed && !result.created) signal_value(*wanted.path, true);
  return result;
}

void SettingsService::add_one(const std::string& base, sdbus::MethodCall& call, bool silent) {
  std::string group;
  std::string name;
  std::string type;
  call >> group >> name;
  NewSetting wanted;
  wanted.initial = venus::read_variant(call);
  call >> type;
  wanted.min = as_double(venus::read_variant(call));
  wanted.max = as_double(venus::read_variant(call));
  wanted.type = type == "i" || type == "f" || type == "s" ? type[0] : char{0};
  wanted.silent = silent;
  wanted.path = base + group + "/" + name;
  if (base == "/") wanted.path = "/Settings/" + group + "/" + name;
  const auto result = add(wanted);
  update_objects();
  answer(call, std::int32_t{result.error});
}

void SettingsService::add_settings(const std::string& base, sdbus::MethodCall& call) {
  auto reply = call.createReply();
  reply.openContainer("a{sv}");
  call.enterContainer("a{sv}");
  while (call.enterContainer("{sv}")) {
    NewSetting wanted;
    while (call.enterDictEntry("sv")) {
      std::string key;
      call >> key;
      const char type = type_letter(call);
      const auto value = venus::read_variant(call);
      if (key == "path" && std::holds_alternative<std::string>(value)) wanted.path = std::get<std::string>(value);
      if (key == "default") {
        wanted.type = type;
        wanted.initial = value;
      }
      if (key == "min") wanted.min = as_double(value);
      if (key == "max") wanted.max = as_double(value);
      if (key == "silent") wanted.silent = as_double(value) != 0;
      call.exitDictEntry();
    }
    call.clearFlags();
    call.exitContainer();
    const auto given = wanted.path;
    if (wanted.path && !wanted.path->starts_with("/")) wanted.path = base + *wanted.path;
    const auto result = add(wanted);
    reply.openContainer("{sv}");
    if (given) append(reply, "path", *given);
    append(reply, "error", std::int64_t{result.error});
    if (result.error == 0) append(reply, "value", data.all().at(*wanted.path).value);
    reply.closeContainer();
  }
  call.clearFlags();
  reply.closeContainer();
  update_objects();
  reply.send();
}

void SettingsService::remove_settings(const std::string& base, sdbus::MethodCall& call) {
  std::vector<std::string> names;
  call >> names;
  std::vector<std::int32_t> results;
  for (const auto& name : names) {
    const auto path = base + name;
    const bool there = data.remove(path);
    results.push_back(there ? 0 : -1);
    if (there) {
      signal_value(path, false);
      touched();
    }
  }
  answer(call, results);
  update_objects();
}

void SettingsService::listing(const std::string& base, sdbus::MethodCall& call, bool texts) {
  auto reply = call.createReply();
  reply.openVariant(texts ? "a{ss}" : "a{sv}");
  reply.openContainer(texts ? "{ss}" : "{sv}");
  for (const auto& [path, setting] : data.all()) {
    if (!path.starts_with(base)) continue;
    const auto key = path.substr(base.size());
    if (texts) {
      reply.openDictEntry("ss");
      reply << key << text_of(setting.value);
      reply.closeDictEntry();
    } else {
      append(reply, key.c_str(), setting.value);
    }
  }
  reply.closeContainer();
  reply.closeVariant();
  reply.send();
}

void SettingsService::get_items(sdbus::MethodCall& call) {
  auto reply = call.createReply();
  reply.openContainer("{sa{sv}}");
  for (const auto& [path, setting] : data.all()) {
    reply.openDictEntry("sa{sv}");
    reply << path;
    reply.openContainer("{sv}");
    append(reply, "Value", setting.value);
    append(reply, "Text", text_of(setting.value));
    append(reply, "Default", setting.initial);
    if (setting.min != 0 || setting.max != 0) {
      append(reply, "Min", limit(setting.min, setting.type));
      append(reply, "Max", limit(setting.max, setting.type));
    }
    reply.closeContainer();
    reply.closeDictEntry();
  }
  reply.closeContainer();
  reply.send();
}

void SettingsService::signal_value(const std::string& path, bool attributes) {
  const auto found = objects_.find(path);
  if (found == objects_.end()) return;
  auto signal = found->second->createSignal(item, "PropertiesChanged");
  signal.openContainer("{sv}");
  const auto* setting = data.find(path);
  append(signal, "Value", setting != nullptr ? setting->value : Value());
  append(signal, "Text", setting != nullptr ? text_of(setting->value) : std::string());
  if (attributes && setting != nullptr) {
    append(signal, "Default", setting->initial);
    if (setting->type != 's') {
      append(signal, "Min", limit(setting->min, setting->type));
      append(signal, "Max", limit(setting->max, setting->type));
    }
  }
  signal.closeContainer();
  found->second->emitSignal(signal);
  bus_->kick();
}

void SettingsService::touched() {
  if (std::exchange(write_pending_, true)) return;
  write_timer_.expires_after(options_.write_delay);
  write_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) write_file();
  });
}

void SettingsService::write_file() {
  write_pending_ = false;
  ++file_writes_;
  if (!options_.file.empty()) data.store(options_.file);
}

}  // namespace serialbattery::test
