#include "net/http/host_port.hpp"

#include <algorithm>
#include <charconv>

namespace penstock::net {
namespace {

constexpr std::size_t kHostBytesMax = 255;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_byte(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}
bool is_address_byte(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

bool is_port(std::string_view text) {
  std::uint32_t number = 0;
  if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, is_digit)) return false;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number <= 65535;
}

}  // namespace

std::optional<HostPort> parse_host_port(std::string_view text) {
  if (text.size() > kHostBytesMax + 6) return std::nullopt;
  std::size_t host_size = std::min(text.find(':'), text.size());
  bool is_good = false;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host_size = close + 1;
    const std::string_view address = text.substr(1, close - 1);
    is_good = address.size() >= 2 && std::ranges::all_of(address, is_address_byte);
  } else {
    is_good = host_size > 0 && host_size <= kHostBytesMax &&
              std::ranges::all_of(text.substr(0, host_size), is_name_byte);
  }
  if (!is_good) return std::nullopt;
  HostPort out{std::string(text.substr(0, host_size)), ""};
  text.remove_prefix(host_size);
  if (text.empty()) return out;
  if (text.front() != ':' || !is_port(text.substr(1))) return std::nullopt;
  out.port = text.substr(1);
  return out;
}

}  // namespace penstock::net
