#include "tools/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <optional>

#include "net/auth/password_hash.hpp"
#include "tools/toml_library.hpp"
#include "txn/schema/names.hpp"

namespace penstock::tools {
namespace {

using Problem = std::expected<void, std::string>;
using Setter = std::function<Problem(const toml::node&)>;

Problem wrong(std::string_view key, std::string_view what) {
  return std::unexpected(fmt::format("config: {}: {}", key, what));
}

Setter text(std::string_view key, std::string& out) {
  return [key, &out](const toml::node& node) -> Problem {
    const auto value = node.value_exact<std::string>();
    if (!value) return wrong(key, "a text in quotes is wanted");
    out = *value;
    return {};
  };
}

Setter yes_or_no(std::string_view key, bool& out) {
  return [key, &out](const toml::node& node) -> Problem {
    const auto value = node.value_exact<bool>();
    if (!value) return wrong(key, "true or false is wanted");
    out = *value;
    return {};
  };
}

template <class Number>
Setter number(std::string_view key, Number& out, std::int64_t low, std::int64_t high) {
  return [key, &out, low, high](const toml::node& node) -> Problem {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < low || *value > high) {
      return wrong(key, fmt::format("a whole number from {} to {} is wanted", low, high));
    }
    out = static_cast<Number>(*value);
    return {};
  };
}

Problem read_table(const toml::table& table, const std::map<std::string, Setter, std::less<>>& keys,
                   std::string_view prefix) {
  for (const auto& [key, node] : table) {
    const auto found = keys.find(key.str());
    if (found == keys.end()) {
      std::string known;
      for (const auto& [name, setter] : keys) known += (known.empty() ? "" : ", ") + name;
      return wrong(fmt::format("{}{}", prefix, key.str()), "no such key; known here: " + known);
    }
    if (auto set = found->second(node); !set) return set;
  }
  return {};
}

constexpr std::string_view kDefaultCluster = "default_cluster:";  // the router cuts it off, too
constexpr std::string_view kGrantsForm =
    R"(grants = { "db" = ["LOAD", "SELECT"], "*" = ["ADMIN"] } is the form)";

Problem read_rights(const std::string& key, const toml::node& node, net::Rights& out) {
  const toml::array* const words = node.as_array();
  if (words == nullptr) return wrong(key, fmt::format("a list of rights is wanted: {}", kGrantsForm));
  for (const toml::node& word : *words) {
    const auto text = word.value_exact<std::string>();
    const auto right = text ? net::parse_right(*text) : std::nullopt;
    if (!right) {
      return wrong(key, fmt::format("{} is no right: LOAD, SELECT, ALTER, ADMIN are",
                                    text ? fmt::format("'{}'", *text) : "what is no text"));
    }
    out.add(*right);
  }
  return {};
}

Problem read_grants(const std::string& key, const toml::node& node, net::Grants& out) {
  if (!node.is_table()) return wrong(key, fmt::format("a table is wanted: {}", kGrantsForm));
  for (const auto& [name, words] : *node.as_table()) {
    std::string_view database = name.str();
    if (database.starts_with(kDefaultCluster)) database.remove_prefix(kDefaultCluster.size());
    const std::string entry = fmt::format("{}.{}", key, name.str());
    if (database != net::Grants::kEverywhere && !txn::is_database_or_table_name(database)) {
      return wrong(entry, "neither the name of a database nor * for all of them");
    }
    net::Rights rights;
    if (auto read = read_rights(entry, words, rights); !read) return read;
    out.add(database, rights);
  }
  return {};
}

// `name = "hash"`: may do everything. `[users.name]` with password and grants: what they say.
Problem read_user(std::string_view name, const toml::node& node, Config::User& out) {
  const std::string key = fmt::format("users.{}", name);
  if (const auto hash = node.value_exact<std::string>()) {
    out.password = *hash;
    out.grants = net::Grants::all();
    return {};
  }
  const toml::table* const table = node.as_table();
  if (table == nullptr) {
    return wrong(key, "a password hash in quotes is wanted, or a table with password and grants");
  }
  const std::string password_key = key + ".password";
  const std::string grants_key = key + ".grants";
  const std::map<std::string, Setter, std::less<>> keys = {
      {"password", text(password_key, out.password)},
      {"grants", [&](const toml::node& grants) { return read_grants(grants_key, grants, out.grants); }},
  };
  if (auto read = read_table(*table, keys, key + "."); !read) return read;
  if (!table->contains("password")) return wrong(password_key, "it is missing: a password hash in quotes");
  if (!table->contains("grants")) return wrong(grants_key, fmt::format("it is missing: {}", kGrantsForm));
  return {};
}

bool makes_library_give_up(std::string_view bytes) {
  try {
    (void)toml::parse(bytes);
  } catch (const toml::parse_error&) {
  } catch (const TomlGaveUp&) {
    return true;
  }
  return false;
}

// It reads from front to back: the line is the first with which it gives up.
std::size_t line_given_up(std::string_view bytes) {
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] == '\n' || at + 1 == bytes.size()) ends.push_back(at + 1);
  }
  const auto found = std::ranges::partition_point(
      ends, [bytes](std::size_t end) { return !makes_library_give_up(bytes.substr(0, end)); });
  return 1 + static_cast<std::size_t>(found - ends.begin());
}

// Each dot of a key is a table in a table, and the library takes those apart by recursion.
std::optional<std::size_t> line_with_many_dots(std::string_view bytes) {
  constexpr std::size_t kDotsMax = 256;
  std::size_t line = 1;
  for (std::size_t dots = 0; const char c : bytes) {
    if (c == '.' && ++dots > kDotsMax) return line;
    if (c != '\n') continue;
    ++line;
    dots = 0;
  }
  return std::nullopt;
}

std::expected<toml::table, std::string> parse_toml(std::string_view bytes, const std::string& path) {
  const auto fail = [&](std::size_t line, std::string_view why) {
    return std::unexpected(fmt::format("config file '{}': line {}: {}", path, line, why));
  };
  if (const auto line = line_with_many_dots(bytes)) return fail(*line, "there are too many dots in it");
  try {
    return toml::parse(bytes);
  } catch (const toml::parse_error& error) {
    return fail(error.source().begin.line, error.description());
  } catch (const TomlGaveUp& error) {
    return fail(line_given_up(bytes), error.what());
  }
}

bool is_user_name(std::string_view name) {
  return !name.empty() && std::ranges::none_of(name, [](char c) {
    return c == '@' || c == ':' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  return colon != std::string_view::npos && colon != 0 && colon + 1 != text.size();
}

// As a basic string of TOML.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool is_loopback(std::string_view listen) {
  const std::string_view host = listen.substr(0, listen.rfind(':'));
  return host.starts_with("127.") || host == "localhost" || host == "[::1]";
}

}  // namespace

Problem read_config_file(const std::string& path, Config& config) {
  constexpr std::size_t kFileBytesMax = 1 << 20;
  std::ifstream file(path, std::ios::binary);
  std::string bytes(kFileBytesMax + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (file.bad() || !file.eof()) {
    return std::unexpected(fmt::format("config file '{}': {}", path,
                                       file.good() ? "it is larger than 1 MiB" : "it cannot be read"));
  }
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return read_config_text(bytes, path, config);
}

Problem read_config_text(std::string_view bytes, const std::string& path, Config& config) {
  const auto parsed = parse_toml(bytes, path);
  if (!parsed) return std::unexpected(parsed.error());
  Config::Limits& limits = config.limits;
  const std::map<std::string, Setter, std::less<>> limit_keys = {
      {"connections_max", number("limits.connections_max", limits.connections_max, 1, 1'000'000)},
      {"body_idle_seconds", number("limits.body_idle_seconds", limits.body_idle_seconds, 1, 259200)},
      {"inflate_memory_mib", number("limits.inflate_memory_mib", limits.inflate_memory_mib, 16, 1 << 20)},
      {"load_memory_mib", number("limits.load_memory_mib", limits.load_memory_mib, 8, 1 << 20)},
      {"row_mib", number("limits.row_mib", limits.row_mib, 1, 64)},
      {"split_segments", number("limits.split_segments", limits.split_segments, 0, 16)},
      {"journal_file_mib", number("limits.journal_file_mib", limits.journal_file_mib, 8, 4096)},
      {"log_file_mib", number("limits.log_file_mib", limits.log_file_mib, 4, 1024)},
      {"reserve_mib", number("limits.reserve_mib", limits.reserve_mib, 0, 4096)},
      {"open_loads_max", number("limits.open_loads_max", limits.open_loads_max, 1, 10'000'000)},
      {"error_log_mib", number("limits.error_log_mib", limits.error_log_mib, 1, 4096)},
      {"error_log_hours", number("limits.error_log_hours", limits.error_log_hours, 1, 8760)},
      {"sort_memory_mib", number("limits.sort_memory_mib", limits.sort_memory_mib, 1, 1 << 20)},
      {"label_days", number("limits.label_days", limits.label_days, 1, 36500)},
      {"prepared_lease_seconds",
       number("limits.prepared_lease_seconds", limits.prepared_lease_seconds, 0, 315'360'000)},
      {"keepalive_idle_seconds",
       number("limits.keepalive_idle_seconds", limits.keepalive_idle_seconds, 1, 32767)},
      {"keepalive_interval_seconds",
       number("limits.keepalive_interval_seconds", limits.keepalive_interval_seconds, 1, 32767)},
      {"keepalive_probes", number("limits.keepalive_probes", limits.keepalive_probes, 1, 127)},
  };
  const std::map<std::string, Setter, std::less<>> keys = {
      {"data_dir", text("data_dir", config.data_dir)},
      {"listen", text("listen", config.listen)},
      {"redirect_listen", text("redirect_listen", config.redirect_listen)},
      {"shards", number("shards", config.shards, 0, 1024)},
      {"busy_poll_micros", number("busy_poll_micros", config.busy_poll_micros, 0, 10'000)},
      {"time_zone", text("time_zone", config.time_zone)},
      {"log_level", text("log_level", config.log_level)},
      {"drain_seconds", number("drain_seconds", config.drain_seconds, 0, 86400)},
      {"allow_no_password", yes_or_no("allow_no_password", config.allow_no_password)},
      {"limits",
       [&](const toml::node& node) -> Problem {
         if (!node.is_table()) return wrong("limits", "a table ([limits]) is wanted");
         return read_table(*node.as_table(), limit_keys, "limits.");
       }},
      {"users",
       [&](const toml::node& node) -> Problem {
         if (!node.is_table()) return wrong("users", "a table ([users]) is wanted");
         for (const auto& [name, user] : *node.as_table()) {
           if (auto read = read_user(name.str(), user, config.users[std::string(name.str())]); !read) {
             return read;
           }
         }
         return {};
       }},
  };
  return read_table(*parsed, keys, "");
}

Problem check_config(const Config& config) {
  if (!is_address(config.listen)) {
    return wrong("listen", fmt::format("'{}' is not host:port, as in 127.0.0.1:8040", config.listen));
  }
  if (config.limits.reserve_mib != 0 && config.limits.reserve_mib < config.limits.log_file_mib) {
    return wrong("limits.reserve_mib",
                 fmt::format("{} is less than limits.log_file_mib ({}): a full disk's last records "
                             "would not fit. Make it at least as large, or 0 for none",
                             config.limits.reserve_mib, config.limits.log_file_mib));
  }
  if (!config.redirect_listen.empty() && !is_address(config.redirect_listen)) {
    return wrong("redirect_listen",
                 fmt::format("'{}' is not host:port, as in 127.0.0.1:8030", config.redirect_listen));
  }
  if (config.redirect_listen == config.listen && !config.listen.ends_with(":0")) {
    return wrong("redirect_listen", fmt::format("'{}' is what listen says already", config.redirect_listen));
  }
  if (config.data_dir.empty()) return wrong("data_dir", "it is empty: give the folder the rows go to");
  constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warn", "error"};
  if (std::find(kLevels.begin(), kLevels.end(), config.log_level) == kLevels.end()) {
    return wrong("log_level", fmt::format("'{}' is not one of debug, info, warn, error", config.log_level));
  }
  for (const auto& [name, user] : config.users) {
    if (!is_user_name(name)) {
      return wrong(
          fmt::format("users.{}", name),
          "no name that a client can send: it is empty, or has an '@', a ':' or a control byte in it");
    }
    if (!net::PasswordHash::parse(user.password)) {
      return wrong(fmt::format("users.{}", name),
                   "not a password hash: make one with `penstock hash-password` and paste its line here");
    }
  }
  for (const std::string& address : {config.listen, config.redirect_listen}) {
    if (!config.users.empty() || config.allow_no_password || address.empty() || is_loopback(address)) {
      continue;
    }
    return std::unexpected(fmt::format(
        "listen = {} can be reached from other machines, and no user has a password: set one ([users] root = "
        "\"...\", made by `penstock hash-password`), or listen on 127.0.0.1, or say allow_no_password = true "
        "(--allow-no-password) if everybody who reaches it may do everything",
        address));
  }
  return {};
}

std::expected<Config, std::string> read_users(const std::string& path, const Config& running) {
  Config read;
  if (auto good = read_config_file(path, read); !good) return std::unexpected(good.error());
  Config next = running;
  next.users = std::move(read.users);
  if (auto good = check_config(next); !good) return std::unexpected(good.error());
  // A file that is just being written is empty for a moment: that must not let everybody in.
  if (next.users.empty() && !running.users.empty()) {
    return std::unexpected(fmt::format(
        "config file '{}': it names no user, and so would let in whoever comes as root: for that, "
        "restart",
        path));
  }
  return next;
}

std::vector<net::UserEntry> user_entries(const Config& config) {
  std::vector<net::UserEntry> entries;
  for (const auto& [name, user] : config.users) {
    entries.push_back({name, *net::PasswordHash::parse(user.password), user.grants});
  }
  return entries;
}

std::string print_config(const Config& config) {
  std::string out = fmt::format(
      "data_dir = {}\nlisten = {}\nredirect_listen = {}\nshards = {}\nbusy_poll_micros = {}\n"
      "time_zone = {}\nlog_level = {}\n"
      "drain_seconds = {}\nallow_no_password = {}\n\n[limits]\n"
      "connections_max = {}\nbody_idle_seconds = {}\nload_memory_mib = {}\ninflate_memory_mib = {}\nrow_mib "
      "= {}\nsplit_segments = {}\njournal_file_mib = {}\n"
      "log_file_mib = {}\nreserve_mib = {}\nopen_loads_max = {}\nerror_log_mib = {}\nerror_log_hours = {}\n"
      "sort_memory_mib = {}\nlabel_days = {}\nprepared_lease_seconds = {}\nkeepalive_idle_seconds = {}\n"
      "keepalive_interval_seconds = {}\nkeepalive_probes = {}\n\n[users]\n",
      quoted(config.data_dir), quoted(config.listen), quoted(config.redirect_listen), config.shards,
      config.busy_poll_micros, quoted(config.time_zone), quoted(config.log_level), config.drain_seconds,
      config.allow_no_password, config.limits.connections_max, config.limits.body_idle_seconds,
      config.limits.load_memory_mib, config.limits.inflate_memory_mib, config.limits.row_mib,
      config.limits.split_segments, config.limits.journal_file_mib, config.limits.log_file_mib,
      config.limits.reserve_mib, config.limits.open_loads_max, config.limits.error_log_mib,
      config.limits.error_log_hours, config.limits.sort_memory_mib, config.limits.label_days,
      config.limits.prepared_lease_seconds, config.limits.keepalive_idle_seconds,
      config.limits.keepalive_interval_seconds, config.limits.keepalive_probes);
  for (const auto& [name, user] : config.users) {
    out += fmt::format("# {}: has a password;", name);
    for (const auto& [database, rights] : user.grants.by_database()) {
      out += fmt::format(" {} on {}", rights.empty() ? "nothing" : rights.to_string(), database);
    }
    out += '\n';
  }
  return out;
}

}  // namespace penstock::tools
