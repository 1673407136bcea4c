// serve: the server, from its config to its orderly end.
//
// Journey:  main -> [serve] -> ShardSet::run_threads; on each shard: UringKernel, Store, Router, Server.
// Shard:    makes them.
// Promise:  returns 0 after SIGTERM or SIGINT: what could finish within drain_seconds has finished.
// Failure:  1 with a text on standard error; 70 when the disk can no longer be trusted (poisoned: see txn/journal/poison).
#pragma once

#include "tools/config.hpp"

namespace penstock::tools {

inline constexpr int kExitPoisoned = 70;

int serve(const Config& config);

}  // namespace penstock::tools
