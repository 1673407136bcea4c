// penstock: one binary.
#include <fmt/format.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <array>
#include <cstdio>
#include <iostream>
#include <string>

#include "core/base/log.hpp"
#include "net/auth/password_hash.hpp"
#include "tools/bench/command.hpp"
#include "tools/config.hpp"
#include "tools/inspect.hpp"
#include "tools/serve.hpp"

namespace {

using penstock::tools::Config;

int complain(const std::string& text) {
  std::fprintf(stderr, "penstock: %s\n", text.c_str());
  return 1;
}

void set_level(const std::string& level) {
  using penstock::core::LogLevel;
  penstock::core::set_log_level(level == "debug"   ? LogLevel::Debug
                                : level == "warn"  ? LogLevel::Warn
                                : level == "error" ? LogLevel::Error
                                                   : LogLevel::Info);
}

// Reads a password from the terminal without showing it, or a line from a pipe.
std::string read_password() {
  const bool is_terminal = ::isatty(STDIN_FILENO) != 0;
  termios before{};
  if (is_terminal) {
    std::fprintf(stderr, "password: ");
    ::tcgetattr(STDIN_FILENO, &before);
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  std::string password;
  std::getline(std::cin, password);
  if (is_terminal) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
    std::fprintf(stderr, "\n");
  }
  return password;
}

int hash_password() {
  std::string password = read_password();
  if (password.empty()) return complain("hash-password: the password is empty");
  std::array<unsigned char, 16> salt{};
  if (::getrandom(salt.data(), salt.size(), 0) != static_cast<ssize_t>(salt.size())) {
    return complain("hash-password: the system gave no random bytes");
  }
  std::printf("%s\n", penstock::net::hash_password(password, salt).c_str());
  penstock::net::wipe(password);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "penstock takes streams over the Doris Stream Load protocol and makes their rows durable and visible "
      "together.\n"
      "\n"
      "  penstock serve --data-dir ./data            # then, from another terminal:\n"
      "  curl -u root: http://127.0.0.1:8040/api/query/default_cluster/demo -d '{\"stmt\": \"CREATE DATABASE "
      "demo\"}'\n"
      "  curl -u root: -T rows.tsv -H 'Expect: 100-continue' http://127.0.0.1:8040/api/demo/t/_stream_load\n"
      "  curl -u root: 'http://127.0.0.1:8040/api/demo/t/_scan?columns=count(*)'\n",
      "penstock"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("penstock ") + PENSTOCK_VERSION);

  Config flags;
  std::string config_file;
  bool check_only = false;
  bool print_only = false;
  CLI::App* const serve =
      app.add_subcommand("serve",
                         "Run the server. SIGTERM drains it: open loads may finish, new ones "
                         "are refused, then it exits with 0. SIGHUP: the config's users are read again.");
  serve
      ->add_option("--config", config_file,
                   "TOML file (docs/operations.md lists the keys); flags win over it")
      ->check(CLI::ExistingFile);
  const auto* const data_dir =
      serve->add_option("--data-dir", flags.data_dir, "Folder for the rows; made if missing");
  const auto* const listen = serve->add_option("--listen", flags.listen,
                                               "host:port; off loopback a user with a password "
                                               "must be configured");
  const auto* const redirect =
      serve->add_option("--redirect-listen", flags.redirect_listen,
                        "host:port of a second door that answers loads with a 307 to the first "
                        "one, for clients that take nothing else; none by default");
  const auto* const shards = serve
                                 ->add_option("--shards", flags.shards,
                                              "Engine threads; 0: one a core. Any number opens "
                                              "any store")
                                 ->check(CLI::Range(0, 1024));
  const auto* const level = serve->add_option("--log-level", flags.log_level, "debug, info, warn or error");
  const auto* const drain = serve->add_option("--drain-seconds", flags.drain_seconds,
                                              "How long open loads may go on "
                                              "after SIGTERM");
  const auto* const no_password =
      serve->add_flag("--allow-no-password", flags.allow_no_password,
                      "Off loopback, without users: whoever reaches the port may do everything");
  serve->add_flag("--check-config", check_only, "Say whether the config is good, and exit");
  serve->add_flag("--print-config", print_only, "Print the config that results, and exit");
  CLI::App* const hash = app.add_subcommand(
      "hash-password", "Read a password and print the line that goes into [users] of the config.");

  std::string inspected = "./penstock-data";
  CLI::App* const inspect = app.add_subcommand("inspect",
                                               "Show what a data folder holds: its runs, their commit "
                                               "records, and what recovery says. Changes nothing.");
  inspect->add_option("--data-dir", inspected, "The folder to look at");

  penstock::tools::BenchCommand bench(app);

  CLI11_PARSE(app, argc, argv);
  if (bench.is_parsed()) return bench.run();
  if (hash->parsed()) return hash_password();
  if (inspect->parsed()) return penstock::tools::inspect(inspected);

  Config config;
  if (!config_file.empty()) {
    if (auto read = penstock::tools::read_config_file(config_file, config); !read)
      return complain(read.error());
  }
  if (data_dir->count() > 0) config.data_dir = flags.data_dir;
  if (listen->count() > 0) config.listen = flags.listen;
  if (redirect->count() > 0) config.redirect_listen = flags.redirect_listen;
  if (shards->count() > 0) config.shards = flags.shards;
  if (level->count() > 0) config.log_level = flags.log_level;
  if (drain->count() > 0) config.drain_seconds = flags.drain_seconds;
  if (no_password->count() > 0) config.allow_no_password = flags.allow_no_password;
  if (auto good = penstock::tools::check_config(config); !good) return complain(good.error());
  if (check_only) {
    std::printf("the config is good\n");
    return 0;
  }
  if (print_only) {
    std::printf("%s", penstock::tools::print_config(config).c_str());
    return 0;
  }
  set_level(config.log_level);
  return penstock::tools::serve(config, config_file);
}
