// Config: what an operator may set, from one TOML file and the flags of `penstock serve`. Every key has a default that
// works; an unknown key is an error. docs/operations.md lists them all.
//
// Journey:  main -> [Config] -> serve; SIGHUP -> serve -> [read_users].
// Shard:    none; read before any shard runs. read_users: shard 0, a short blocking read.
// Promise:  check_config has found nothing wrong with what serve gets.
// Failure:  a text that names the key, the value and the fix.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "net/auth/authenticator.hpp"

namespace penstock::tools {

struct Config {
  std::string data_dir = "./penstock-data";
  std::string listen = "127.0.0.1:8040";
  std::string redirect_listen;  // empty: none
  std::uint32_t shards = 0;     // 0: one a core
  std::uint32_t busy_poll_micros = 300;
  std::string log_level = "info";
  std::string time_zone = "system";
  std::uint32_t drain_seconds = 30;
  bool allow_no_password = false;  // off loopback, without users
  struct User {
    std::string password;  // pbkdf2-sha256$...
    net::Grants grants;
  };
  std::map<std::string, User> users;  // by name

  struct Limits {
    std::uint64_t connections_max = 20000;
    std::uint64_t body_idle_seconds = 259200;
    std::uint64_t load_memory_mib = 64;      // per shard
    std::uint64_t inflate_memory_mib = 256;  // per shard
    std::uint64_t row_mib = 16;
    std::uint64_t split_segments = 4;
    std::uint64_t journal_file_mib = 256;
    std::uint64_t log_file_mib = 16;
    std::uint64_t reserve_mib = 64;
    std::uint64_t open_loads_max = 100000;
    std::uint64_t error_log_mib = 8;  // per shard
    std::uint64_t error_log_hours = 48;
    std::uint64_t sort_memory_mib = 256;  // per shard
    std::uint64_t label_days = 90;        // of the store's running time
    std::uint64_t prepared_lease_seconds = 0;
    std::uint32_t keepalive_idle_seconds = 60;
    std::uint32_t keepalive_interval_seconds = 15;
    std::uint32_t keepalive_probes = 4;
  } limits;
};

// Adds what the file says to `config`.
std::expected<void, std::string> read_config_file(const std::string& path, Config& config);
std::expected<void, std::string> read_config_text(std::string_view text, const std::string& path,
                                                  Config& config);
std::expected<void, std::string> check_config(const Config& config);
// The users of a file that was good at the start and may have changed: all of it is checked again, only they count.
std::expected<Config, std::string> read_users(const std::string& path, const Config& running);
std::vector<net::UserEntry> user_entries(const Config& config);  // of a checked one
std::string print_config(const Config& config);                  // as a TOML file, without password hashes

}  // namespace penstock::tools
