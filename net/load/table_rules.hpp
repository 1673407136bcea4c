// What a load's head may ask of the table it goes into.
//
// Journey:  run_load_session (request, table) -> [check_table_rules].
// Shard:    any; pure.
// Promise:  nothing that is asked for is left out in silence: a load that changes rows is not taken by a table that only
//           adds them.
// Failure:  the text of a Fail reply, in Doris's words where Doris has some.
#pragma once

#include <expected>
#include <string>

#include "net/load/load_request.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::net {

std::expected<void, std::string> check_table_rules(const LoadRequest& request, const txn::Table& table);

}  // namespace penstock::net
