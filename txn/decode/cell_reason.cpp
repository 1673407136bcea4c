#include "txn/decode/cell_reason.hpp"

#include <fmt/format.h>

#include "txn/decode/text_to_value.hpp"

namespace penstock::txn {

std::string bad_cell_reason(BadCell why, const ColumnDef& column, std::string_view value,
                            std::size_t text_bytes_max) {
  switch (why) {
    case BadCell::Null:
      return fmt::format("column({}) values is null while columns is not nullable", column.name);
    case BadCell::Incorrect:
      return fmt::format("column({}) value is incorrect while strict mode is true, src value is {}",
                         column.name, value.substr(0, utf8_prefix(value, text_bytes_max)));
    case BadCell::TooLong:
      if (is_nested(column.type)) {
        return fmt::format(
            "column({}) value is too large: a string in it is longer than its type, or its {} bytes of text "
            "would take "
            "too much memory; it begins with {}",
            column.name, value.size(), value.substr(0, utf8_prefix(value, 32)));
      }
      return fmt::format(
          "column_name[{}], the length of input string is too long than vec schema. first 32 bytes of input "
          "str: [{}] "
          "schema length: {}; actual length: {}; ",
          column.name, value.substr(0, utf8_prefix(value, 32)), column.type.length, value.size());
  }
  return {};
}

}  // namespace penstock::txn
