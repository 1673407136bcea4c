#include "core/base/time_zone.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/check.hpp"

namespace penstock::core {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::int64_t kDay = 86'400;
constexpr std::int32_t kHoursMax = 14;
constexpr std::size_t kNameBytesMax = 64;

// Both are written before there are shards and only read afterwards.
ZoneNames& installed() {
  static ZoneNames names;
  return names;
}
TimeZone& server_zone() {
  static TimeZone zone;
  return zone;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// [+-]h[h][[:]mm]
std::optional<std::int32_t> read_offset(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const bool is_west = text[0] == '-';
  text.remove_prefix(1);
  std::array<std::int32_t, 2> parts{};  // hours, minutes
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  const bool has_colon = digits < text.size() && text[digits] == ':';
  if (digits == 0 || digits > 4 || digits == 3 || (has_colon && digits > 2)) return std::nullopt;
  for (std::size_t i = 0; i < digits; ++i) {
    std::int32_t& part = parts[i < 2 ? 0 : 1];
    part = part * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  if (has_colon) {
    if (text.size() != 3 || !is_digit(text[1]) || !is_digit(text[2])) return std::nullopt;
    parts[1] = (text[1] - '0') * 10 + (text[2] - '0');
  } else if (!text.empty()) {
    return std::nullopt;
  }
  if (parts[0] > kHoursMax || parts[1] > 59 || (parts[0] == kHoursMax && parts[1] != 0)) return std::nullopt;
  return (parts[0] * 60 + parts[1]) * (is_west ? -60 : 60);
}

}  // namespace

std::optional<TimeZone> TimeZone::find(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax) return std::nullopt;
  std::string key(name);
  std::ranges::transform(key, key.begin(), lower);
  if (key == "z" || key == "utc" || key == "gmt") return TimeZone();
  if (key == "cst") return fixed(8 * 3600);
  std::string_view offset = key;
  if (offset.starts_with("gmt") || offset.starts_with("utc")) offset.remove_prefix(3);
  if (const auto seconds = read_offset(offset)) return fixed(*seconds);
  const auto found = installed().find(key);
  if (found == installed().end()) return std::nullopt;
  TimeZone zone;
  zone.rules_ = found->second.get();
  return zone;
}

TimeZone TimeZone::of_server() { return server_zone(); }

std::int64_t TimeZone::micros_to_local(std::int64_t utc_micros) const {
  const std::int64_t seconds = utc_micros / kMicros - (utc_micros % kMicros < 0 ? 1 : 0);
  return utc_micros + offset_at(seconds) * kMicros;
}

std::int32_t TimeZone::offset_by_rules(std::int64_t utc_seconds) const {
  const auto after = std::ranges::upper_bound(rules_->changes, utc_seconds);
  if (after == rules_->changes.begin()) return rules_->first_offset;
  return rules_->offsets[static_cast<std::size_t>(after - rules_->changes.begin()) - 1];
}

std::int64_t TimeZone::utc_by_rules(std::int64_t local_seconds) const {
  const std::int32_t before = offset_by_rules(local_seconds - kDay);
  const std::int32_t after = offset_by_rules(local_seconds + kDay);
  if (offset_by_rules(local_seconds - before) != before && offset_by_rules(local_seconds - after) == after) {
    return local_seconds - after;
  }
  return local_seconds - before;
}

void install_time_zones(ZoneNames zones) {
  CHECK(installed().empty());
  for (const auto& [name, rules] : zones) {
    CHECK(rules != nullptr);
    CHECK_EQ(rules->changes.size(), rules->offsets.size());
  }
  installed() = std::move(zones);
}

void set_server_time_zone(TimeZone zone) { server_zone() = zone; }

}  // namespace penstock::core
