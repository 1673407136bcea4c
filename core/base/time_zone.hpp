// TimeZone: what a clock on the wall shows, from seconds since 1970 in UTC, and back.
//
// A zone is a fixed offset, or a name of the IANA database with the offsets it has had and will have. The names are read
// once, by whoever starts the process (tools/zone_files), and installed before a shard runs; nothing reads a file later,
// so a name from a request is only ever looked up in memory.
//
// Journey:  tools: install_time_zones -> net: TimeZone::find (a load's `timezone`), txn: texts with a zone in them -> [TimeZone].
// Shard:    any; a small value. install_time_zones: once, before there are shards.
// Promise:  of a local time that came twice the first is meant, one that was skipped is read with the offset before it (as
//           Doris does). Beyond the last change that is known its offset goes on.
// Failure:  find gives nothing for what is neither a name nor an offset within 14 hours.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::core {

struct ZoneRules {
  std::int32_t first_offset = 0;      // before the first change
  std::vector<std::int64_t> changes;  // UTC seconds, ascending
  std::vector<std::int32_t> offsets;  // in seconds east of UTC; from changes[i] on
};

class TimeZone {
 public:
  TimeZone() = default;  // UTC
  static TimeZone fixed(std::int32_t offset_seconds) {
    TimeZone zone;
    zone.offset_ = offset_seconds;
    return zone;
  }
  // +08:00, +8:00, -0530, Z, GMT+8, UTC-03:30, CST (Doris's: China), or an IANA name in any case.
  static std::optional<TimeZone> find(std::string_view name);

  // Where a load names none: `time_zone` of the configuration.
  static TimeZone of_server();

  std::int32_t offset_at(std::int64_t utc_seconds) const {
    return rules_ == nullptr ? offset_ : offset_by_rules(utc_seconds);
  }
  std::int64_t to_local(std::int64_t utc_seconds) const { return utc_seconds + offset_at(utc_seconds); }
  std::int64_t to_utc(std::int64_t local_seconds) const {
    return rules_ == nullptr ? local_seconds - offset_ : utc_by_rules(local_seconds);
  }
  std::int64_t micros_to_local(std::int64_t utc_micros) const;

 private:
  std::int32_t offset_by_rules(std::int64_t utc_seconds) const;
  std::int64_t utc_by_rules(std::int64_t local_seconds) const;

  std::int32_t offset_ = 0;
  const ZoneRules* rules_ = nullptr;  // of the installed names: as long as the process
};

using ZoneNames =
    std::map<std::string, std::shared_ptr<const ZoneRules>, std::less<>>;  // names in lower case

void install_time_zones(ZoneNames zones);  // once
void set_server_time_zone(TimeZone zone);  // before there are shards

}  // namespace penstock::core
