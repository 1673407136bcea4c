// zone_files: the time zones of this machine, read once with cctz.
//
// Journey:  serve -> [install_machine_time_zones] -> core/base/time_zone.
// Shard:    none: before there are any.
// Promise:  every name of the IANA database that is installed, with its changes until the year 2200.
// Failure:  the text for the operator: the configured zone is not known, or the machine has no database.
#pragma once

#include <expected>
#include <string>

namespace penstock::tools {

// `server_zone`: a name or an offset; "system": the machine's own (TZ, /etc/localtime).
std::expected<void, std::string> install_machine_time_zones(const std::string& server_zone);

}  // namespace penstock::tools
