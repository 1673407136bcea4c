// inspect: what a data folder holds, read only: its runs, their commit records, where each stops and why.
//
// Journey:  main -> [inspect] -> txn/checkpoint/log_reader, recovery. For an operator whose store refused to start.
// Shard:    one, of its own. Beside a running server it may see a record half written.
// Promise:  changes nothing.
// Failure:  1 with a text on standard error; also when the store is damaged, after the report.
#pragma once

#include <string>

namespace penstock::tools {

int inspect(const std::string& data_dir);

}  // namespace penstock::tools
