// BenchTarget: the server and the table that a run is about.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace penstock::tools {

struct BenchTarget {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8040;
  std::string user = "root";
  std::string password;
  std::string database;
  std::string table;

  std::string address() const;
  // "Host: ...\r\nAuthorization: ...\r\n"
  std::string common_headers() const;
};

// http://host:port, and host:port.
std::expected<void, std::string> set_url(BenchTarget& target, std::string_view url);
// db.table
std::expected<void, std::string> set_table(BenchTarget& target, std::string_view name);
// A connected socket, no delay; the caller closes it.
std::expected<int, std::string> connect_blocking(const BenchTarget& target);

}  // namespace penstock::tools
