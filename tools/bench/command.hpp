// `penstock bench`: its subcommands, their flags, and what runs them.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>

namespace penstock::tools {

class BenchCommand {
 public:
  explicit BenchCommand(CLI::App& app);
  ~BenchCommand();
  BenchCommand(const BenchCommand&) = delete;
  BenchCommand& operator=(const BenchCommand&) = delete;

  bool is_parsed() const { return bench_->parsed(); }
  int run();  // the exit status

 private:
  struct Flags;
  void add_rows();
  void add_schema();
  void add_run();
  void add_run_figures(CLI::App* run);
  void add_sink();

  CLI::App* bench_;
  std::unique_ptr<Flags> flags_;
  std::function<int()> chosen_;
};

}  // namespace penstock::tools
