// closed-loop: charge control on a simulated battery, over days.
//
//   closed-loop grid                       the table that the modes of CVL_CONTROLLER_MODE are compared by
//   closed-loop run --pack soc3 --svg f    one case, as a picture and a table of numbers
//   closed-loop pictures FOLDER            the pictures of docs/charge-control.md
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "support/loop_controller.hpp"
#include "support/loop_grid.hpp"
#include "support/loop_plot.hpp"

using namespace serialbattery;
using namespace serialbattery::loop;

namespace {

const std::map<std::string, PackKind> pack_names{{"balanced", PackKind::balanced}, {"soc1", PackKind::soc1}, {"soc3", PackKind::soc3},
                                                 {"soc5", PackKind::soc5},         {"weak", PackKind::weak}, {"hires", PackKind::hires}};
const std::map<std::string, ChargerKind> charger_names{{"A", ChargerKind::a}, {"B", ChargerKind::b}};
const std::map<std::string, BalancerKind> balancer_names{
    {"none", BalancerKind::none}, {"passive", BalancerKind::passive}, {"active", BalancerKind::active}};

std::unique_ptr<Regulator> make_regulator(const Case& one, int mode) {
  return std::make_unique<ControllerRegulator>(loop_config(mode), one.reporting);
}

struct GridCommand {
  Grid grid;
  std::vector<int> modes{0, 1, 2, 3, 4};
  unsigned threads = 2;
  bool each = false;

  void run() const;
};

constexpr std::string_view heading =
    "| charger, mode | highest cell V | trips | s > 3.50 V | s > 3.55 V | days with float | 95 % -> float min | CVL turns/h mean (worst) "
    "| CCL turns/h mean (worst) | energy % mean (worst) | spread at the end % |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|\n";

void print_row(const std::string& name, const Summary& s) {
  std::cout << fmt::format(
      "| {} | {:.3f} | {} | {:.0f} | {:.0f} | {}/{} | {:.0f} | {:.2f} ({:.1f}) | {:.2f} ({:.1f}) | {:.2f} ({:.2f}) | {:.2f} |\n", name,
      s.highest_cell, s.trips, s.seconds_above_3_50, s.seconds_above_3_55, s.float_days, s.days, s.minutes_to_float.mean(),
      s.cvl_turns_mean, s.cvl_turns_worst, s.ccl_turns_mean, s.ccl_turns_worst, s.energy_pct, s.energy_worst_pct, s.spread);
}

std::string describe(const Case& one) {
  return fmt::format("{} cells {} {} {:+.0f} mV", one.cells, to_string(one.pack), to_string(one.balancer), one.offset * 1000);
}

void GridCommand::run() const {
  const auto cases = cases_of(grid);
  const auto clairvoyant = clairvoyant_energies(cases, {}, threads);
  std::map<int, std::vector<Metrics>> results;
  for (const int mode : modes)
    results[mode] = simulate_all(
        cases, [mode](const Case& one) { return make_regulator(one, mode); }, threads);
  std::cout << heading;
  for (const ChargerKind charger : grid.chargers) {
    for (const int mode : modes) {
      std::vector<Metrics> chosen;
      std::vector<double> reference;
      for (std::size_t i = 0; i < cases.size(); ++i) {
        if (cases[i].charger != charger) continue;
        chosen.push_back(results[mode][i]);
        reference.push_back(clairvoyant[i]);
        if (each)
          print_row(fmt::format("{} {} {}", to_string(charger), mode, describe(cases[i])),
                    summarise({&chosen.back(), 1}, {&reference.back(), 1}));
      }
      print_row(fmt::format("{} {}{}", to_string(charger), mode, each ? " **all**" : ""), summarise(chosen, reference));
    }
  }
}

struct RunCommand {
  Case one;
  int mode = 1;
  int day = 0;  // shown in the picture
  std::string csv, svg;

  void run() const;
};

void RunCommand::run() const {
  std::vector<Record> records;
  const auto regulator = make_regulator(one, mode);
  const Result result = simulate(one, *regulator, [&](const Moment& m) {
    records.push_back({m.seconds, m.pack.highest(), m.pack.voltage() / static_cast<double>(one.cells), m.pack.lowest(), m.pack.voltage(),
                       m.answer.limits.cvl, m.current, m.answer.limits.ccl, m.pack.mean_soc(), std::string(m.answer.mode)});
  });
  const double clairvoyant = clairvoyant_energy(one, {});
  std::cout << heading;
  print_row(fmt::format("{} {}", to_string(one.charger), mode), summarise({&result.metrics, 1}, {&clairvoyant, 1}));
  if (!csv.empty()) {
    std::ofstream out(csv);
    write_csv(out, records);
  }
  if (!svg.empty()) {
    std::ofstream out(svg);
    const std::string title = fmt::format("Mode {}, charger {}, {}, day {}", mode, to_string(one.charger), describe(one), day + 1);
    const double midnight = day * 86400.0;
    write_svg(out, records, {.title = title, .begin = midnight + 8 * 3600, .end = midnight + 20 * 3600});
  }
}

/// The cases that docs/charge-control.md shows.
void draw_pictures(const std::string& folder) {
  struct Picture {
    const char* name;
    Case one;
    int mode;
  };
  const Case uneven_a{.pack = PackKind::soc3, .charger = ChargerKind::a, .offset = -0.05};
  const Case uneven_b{.pack = PackKind::soc3, .charger = ChargerKind::b, .offset = 0.05};
  const Case hires_b{.pack = PackKind::hires, .charger = ChargerKind::b, .offset = 0.05};
  const Picture pictures[] = {{"charge-mode1-uneven-a", uneven_a, 1},
                              {"charge-mode4-uneven-a", uneven_a, 4},
                              {"charge-mode1-uneven-b", uneven_b, 1},
                              {"charge-mode4-uneven-b", uneven_b, 4},
                              {"charge-mode4-hires-b", hires_b, 4}};
  for (const Picture& picture : pictures) {
    RunCommand{picture.one, picture.mode, 1, "", fmt::format("{}/{}.svg", folder, picture.name)}.run();
  }
}

/// An option whose values have names: one for `T`, any number for a vector of them.
template <typename T>
void add_choice(CLI::App& app, const std::string& name, T& target, const std::map<std::string, T>& names) {
  app.add_option_function<std::string>(name, [&](const std::string& text) { target = names.at(text); })->check(CLI::IsMember(names));
}
template <typename T>
void add_choices(CLI::App& app, const std::string& name, std::vector<T>& target, const std::map<std::string, T>& names) {
  app.add_option_function<std::vector<std::string>>(name,
                                                    [&](const std::vector<std::string>& texts) {
                                                      target.clear();
                                                      for (const auto& text : texts) target.push_back(names.at(text));
                                                    })
      ->delimiter(',')
      ->check(CLI::IsMember(names));
}

void add_reporting(CLI::App& app, Reporting& reporting) {
  app.add_option("--poll", reporting.poll, "Seconds between two readings");
  app.add_option("--cell-step", reporting.cell_step, "Resolution of the cell voltages, V");
  app.add_flag("--losses", reporting.losses, "Lose a reading, a cell or a few seconds now and then");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Charge control on a simulated battery"};
  app.require_subcommand(1);

  GridCommand grid;
  auto* grid_app = app.add_subcommand("grid", "Simulate all combinations and print the table of metrics");
  grid_app->add_option("--modes", grid.modes, "CVL_CONTROLLER_MODE")->delimiter(',');
  grid_app->add_option("--cells", grid.grid.cells, "Cells in series")->delimiter(',');
  add_choices(*grid_app, "--packs", grid.grid.packs, pack_names);
  add_choices(*grid_app, "--chargers", grid.grid.chargers, charger_names);
  add_choices(*grid_app, "--balancers", grid.grid.balancers, balancer_names);
  grid_app->add_option("--offsets", grid.grid.offsets, "Errors of the charger's voltage, V")->delimiter(',');
  grid_app->add_option("--days", grid.grid.days);
  grid_app->add_option("--step", grid.grid.step, "Length of a simulation step, s");
  grid_app->add_option("--seed", grid.grid.seed);
  grid_app->add_option("-j,--threads", grid.threads);
  grid_app->add_flag("--each", grid.each, "One line per case too");
  add_reporting(*grid_app, grid.grid.reporting);
  grid_app->callback([&] { grid.run(); });

  RunCommand run;
  auto* run_app = app.add_subcommand("run", "Simulate one case");
  run_app->add_option("--mode", run.mode, "CVL_CONTROLLER_MODE");
  run_app->add_option("--cells", run.one.cells);
  add_choice(*run_app, "--pack", run.one.pack, pack_names);
  add_choice(*run_app, "--charger", run.one.charger, charger_names);
  add_choice(*run_app, "--balancer", run.one.balancer, balancer_names);
  run_app->add_option("--offset", run.one.offset, "Error of the charger's voltage, V");
  run_app->add_option("--days", run.one.days);
  run_app->add_option("--step", run.one.step, "Length of a simulation step, s");
  run_app->add_option("--seed", run.one.seed);
  run_app->add_option("--day", run.day, "Day that the picture shows, from 0");
  run_app->add_option("--csv", run.csv, "Write every poll to this file");
  run_app->add_option("--svg", run.svg, "Draw a picture into this file");
  add_reporting(*run_app, run.one.reporting);
  run_app->callback([&] { run.run(); });

  std::string folder = "docs/images";
  auto* pictures_app = app.add_subcommand("pictures", "Draw the pictures of docs/charge-control.md");
  pictures_app->add_option("folder", folder, "Where to put them")->check(CLI::ExistingDirectory);
  pictures_app->callback([&] { draw_pictures(folder); });

  CLI11_PARSE(app, argc, argv);
  return 0;
}
