// Readings as lines of JSON through the real controllers: what `run-control --stream` does.
#pragma once

#include <string>
#include <string_view>

#include "control/controller.hpp"
#include "serialbattery/config.hpp"
#include "support/control_inputs.hpp"

namespace serialbattery::test {

class ControlStream {
 public:
  explicit ControlStream(const Config& config);

  /// One line in, one line out. In: `t` (s, since any origin), and the inputs of the control vectors; a missing one is unknown, except
  /// that nothing but `t` is needed with "ok": false (a failed poll). Out: cvl, ccl, dcl, charge_mode, ccl_text, dcl_text, soc.
  /// A line that is no reading is answered with {"error": ...} and changes nothing.
  [[nodiscard]] std::string answer(std::string_view line);

 private:
  control::Controller controller_;
  ControlInputs inputs_;
};

}  // namespace serialbattery::test
