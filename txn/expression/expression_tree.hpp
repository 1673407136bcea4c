// Expression text to a tree: the SQL of `columns: c = f(tmp)` and `where: c > 5`.
//
// Literals, column names (also in back-quotes), + - * / % DIV, = <> != < <= > >= <=>, AND OR NOT, IS [NOT] NULL,
// [NOT] IN, [NOT] BETWEEN, [NOT] LIKE, CASE, IF and other calls, CAST(x AS type), INTERVAL n unit. Operators become
// calls too, of functions whose names nobody can write. Nothing is known here about columns and types.
//
// Journey:  load_shape, row_filter -> [parse_expression, parse_column_items] -> bind.
// Shard:    any; values.
// Promise:  at most kNodesMax nodes, kTreeDepthMax deep, whatever was written: whoever walks a tree may recurse.
// Failure:  SqlError with the place and what was expected there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "txn/schema/sql_cursor.hpp"
#include "txn/schema/types.hpp"

namespace penstock::txn {

inline constexpr std::size_t kExpressionBytesMax = 64 * 1024;
inline constexpr std::size_t kNodesMax = 4096;
inline constexpr std::uint32_t kTreeDepthMax = 200;

struct Expr {
  enum class Kind : std::uint8_t { Null, Boolean, Number, Text, Column, Call, Cast };
  Kind kind = Kind::Null;
  std::string
      text;  // Number: as written; Text: its value; Column: its name; Call: the function, in lower case
  bool flag = false;  // Boolean
  Type type;          // Cast
  std::uint32_t depth = 1;
  std::vector<std::unique_ptr<Expr>> args;
};
using ExprPtr = std::unique_ptr<Expr>;

SqlResult<ExprPtr> parse_expression(std::string_view text);

// `a, b, c = f(a)`: fields have no value.
struct ColumnItem {
  std::string name;
  ExprPtr value;
};
SqlResult<std::vector<ColumnItem>> parse_column_items(std::string_view text);

}  // namespace penstock::txn
