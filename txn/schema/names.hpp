// Which names databases, tables and columns may have.
//
// Doris's rules, with letters of every script: a database or table begins with a letter and goes on with
// letters, digits, '-' and '_'; a column may also hold blanks and most punctuation. Control characters never;
// '/' never in databases and tables, because their names stand in URLs.
//
// Journey:  plan_change -> [names].
// Shard:    any; pure.
// Promise:  an accepted name is valid UTF-8 of at most kNameLengthMax characters; a database's or table's
//           needs no escaping in a URL's path beyond what UTF-8 does.
// Failure:  false.
#pragma once

#include <cstddef>
#include <string_view>

namespace penstock::txn {

inline constexpr std::size_t kNameLengthMax = 256;  // characters, not bytes

bool is_valid_utf8(std::string_view text);
bool is_database_or_table_name(std::string_view name);
bool is_column_name(std::string_view name);
// information_schema and the like: always there in Doris, so never created or dropped.
bool is_system_database(std::string_view name);

}  // namespace penstock::txn
