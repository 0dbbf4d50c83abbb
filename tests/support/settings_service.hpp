// Stand-in for com.victronenergy.settings, with the faults that the real one can have. Spec settings.md A, test-beds.md 7.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/settings_data.hpp"
#include "venus/bus.hpp"

namespace serialbattery::test {

class SettingsService {
 public:
  struct Options {
    std::chrono::milliseconds write_delay{2000};  // changes within it share one file write
    std::filesystem::path file;                   // empty: counted, not stored
  };
  enum class Behaviour {
    normal,
    mute,    // calls are never answered
    slow,    // answered after `slowness`
    refuse,  // SetValue answers -1
  };
  enum class Objects { present, missing };

  explicit SettingsService(boost::asio::io_context& io, Options options = {std::chrono::milliseconds(2000), {}});
  ~SettingsService();
  SettingsService(const SettingsService&) = delete;
  SettingsService& operator=(const SettingsService&) = delete;

  /// Connects and takes the name; with Objects::missing like old versions, whose objects come later (show_objects()).
  void start(Objects objects = Objects::present);
  void show_objects();
  /// Ends the connection, stores what is pending. The data stay for the next start().
  void stop();
  void behave(Behaviour behaviour, std::chrono::milliseconds slowness = {});

  SettingsData data;

  /// Value of a setting, invalid when it does not exist.
  [[nodiscard]] Value value(const std::string& path) const;
  /// A change made by somebody else, signalled as usual.
  void change(const std::string& path, const Value& value);
  void remove(const std::string& path);

  [[nodiscard]] int file_writes() const { return file_writes_; }
  [[nodiscard]] int calls() const { return calls_; }
  /// Every accepted change of a value, in order.
  [[nodiscard]] const std::vector<std::string>& changes() const { return changes_; }

 private:
  using Answer = std::function<void(sdbus::MethodCall&)>;
  void register_leaf(const std::string& path);
  void register_group(const std::string& path);
  void add_method(sdbus::IObject& object, const char* interface, const char* name, const char* in, const char* out, Answer answer);
  void take(sdbus::MethodCall call, const Answer& answer);
  void update_objects();
  void add_settings(const std::string& base, sdbus::MethodCall& call);
  void add_one(const std::string& base, sdbus::MethodCall& call, bool silent);
  void remove_settings(const std::string& base, sdbus::MethodCall& call);
  void set_value(const std::string& path, sdbus::MethodCall& call);
  void listing(const std::string& base, sdbus::MethodCall& call, bool texts);
  void get_items(sdbus::MethodCall& call);
  AddResult add(const NewSetting& wanted);
  void signal_value(const std::string& path, bool attributes);
  void touched();
  void write_file();

  boost::asio::io_context& io_;
  Options options_;
  std::shared_ptr<venus::Bus> bus_;
  std::map<std::string, std::unique_ptr<sdbus::IObject>> objects_;
  std::vector<sdbus::MethodCall> unanswered_;
  boost::asio::steady_timer write_timer_;
  bool write_pending_ = false;
  Behaviour behaviour_ = Behaviour::normal;
  std::chrono::milliseconds slowness_{};
  int file_writes_ = 0;
  int calls_ = 0;
  std::vector<std::string> changes_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace serialbattery::test
