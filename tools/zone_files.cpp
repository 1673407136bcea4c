#include "tools/zone_files.hpp"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <fstream>
#include <sstream>

#include "core/base/log.hpp"
#include "core/base/time_zone.hpp"

namespace penstock::tools {
namespace {

constexpr const char* kNamesFile = "/usr/share/zoneinfo/tzdata.zi";
constexpr std::int64_t kYear2200 = 7'258'118'400;  // seconds since 1970

using Seconds = cctz::time_point<cctz::seconds>;

std::shared_ptr<const core::ZoneRules> rules_of(const cctz::time_zone& zone) {
  auto rules = std::make_shared<core::ZoneRules>();
  cctz::time_zone::civil_transition change;
  Seconds at = Seconds::min();
  rules->first_offset = zone.lookup(at).offset;
  while (zone.next_transition(at, &change)) {
    at = zone.lookup(change.to).trans;
    const std::int64_t when = at.time_since_epoch().count();
    if (when > kYear2200) break;
    rules->changes.push_back(when);
    rules->offsets.push_back(zone.lookup(at).offset);
  }
  return rules;
}

// Lines "Z name ..." are zones, "L zone name" are their other names.
std::vector<std::string> names_of_machine() {
  std::vector<std::string> names;
  std::ifstream file(kNamesFile);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind;
    std::string first;
    std::string second;
    words >> kind >> first >> second;
    if (kind == "Z") names.push_back(first);
    if (kind == "L") names.push_back(second);
  }
  return names;
}

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

std::expected<void, std::string> install_machine_time_zones(const std::string& server_zone) {
  core::ZoneNames zones;
  for (const std::string& name : names_of_machine()) {
    cctz::time_zone zone;
    if (cctz::load_time_zone(name, &zone)) zones.emplace(lower_case(name), rules_of(zone));
  }
  const std::string own = "system";
  zones.emplace(own, rules_of(cctz::local_time_zone()));
  const bool has_names = zones.size() > 1;
  if (!has_names) {
    core::log_warn("no_time_zones", "file", kNamesFile, "effect", "only offsets are known: install tzdata");
  }
  core::install_time_zones(std::move(zones));
  const auto zone = core::TimeZone::find(server_zone);
  if (!zone) {
    return std::unexpected(fmt::format(
        "time_zone = '{}' is not known: give a name as Europe/Berlin, an offset as +08:00, or system{}",
        server_zone,
        has_names ? "" : fmt::format("; names need the package tzdata ({} is not there)", kNamesFile)));
  }
  core::set_server_time_zone(*zone);
  return {};
}

}  // namespace penstock::tools
