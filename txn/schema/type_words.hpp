// A type as it was written to a Type, or why not.
//
// Journey:  plan_change -> [resolve_type].
// Shard:    any; pure.
// Promise:  what comes back is_valid(); synonyms (INTEGER, TEXT, DATEV2, DECIMALV3 ...) are gone.
// Failure:  SqlError that names the type and the column; types that Doris has and penstock does not take yet
//           are told apart from words that are no type at all.
#pragma once

#include <string_view>

#include "txn/schema/sql_cursor.hpp"

namespace penstock::txn {

SqlResult<Type> resolve_type(const TypeSpec& spec, std::string_view column);

// Doris's first columns of a table without a key clause are its key as long as these bytes a column add up
// to 36.
std::size_t short_key_bytes(const Type& type);

}  // namespace penstock::txn
