// serve: the server, from its config to its orderly end.
//
// Journey:  main -> [serve] -> ShardSet::run_threads; on each shard: UringKernel, Store, Router, Server.
// Shard:    makes them.
// Promise:  returns 0 after SIGTERM or SIGINT: what could finish within drain_seconds has finished. SIGHUP: the users of
//           `config_file` (empty: there is none) are read again; a file that is not good changes nothing.
// Failure:  1 with a text on standard error; 70 when the disk can no longer be trusted (poisoned: see txn/journal/poison).
#pragma once

#include "tools/config.hpp"

namespace penstock::tools {

inline constexpr int kExitPoisoned = 70;

int serve(const Config& config, const std::string& config_file);

}  // namespace penstock::tools
