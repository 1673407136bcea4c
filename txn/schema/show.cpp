#include "txn/schema/show.hpp"

#include <fmt/format.h>

namespace penstock::txn {
namespace {

std::string column_text(const ColumnDef& column) {
  std::string out = fmt::format("{} {} {}", quote_name(column.name), type_name(column.type),
                                column.nullable ? "NULL" : "NOT NULL");
  switch (column.default_kind) {
    case DefaultKind::None:
      break;
    case DefaultKind::Literal:
      out += " DEFAULT " + quote_text(column.default_value.value_or(""), '"');
      break;
    case DefaultKind::Null:
      out += " DEFAULT NULL";
      break;
    case DefaultKind::CurrentTimestamp:
      out += " DEFAULT CURRENT_TIMESTAMP";
      if (column.default_precision != 0) out += fmt::format("({})", column.default_precision);
      break;
    case DefaultKind::CurrentDate:
      out += " DEFAULT CURRENT_DATE";
      break;
  }
  if (!column.comment.empty()) out += " COMMENT " + quote_text(column.comment, '\'');
  return out;
}

std::string name_list(const TableSchema& schema, const std::vector<ColumnId>& columns) {
  std::string out;
  for (const ColumnId id : columns) {
    const ColumnDef* column = schema.find(id);
    if (column == nullptr) continue;
    if (!out.empty()) out += ", ";
    out += quote_name(column->name);
  }
  return "(" + out + ")";
}

std::optional<std::string> default_text(const ColumnDef& column) {
  switch (column.default_kind) {
    case DefaultKind::None:
    case DefaultKind::Null:
      return std::nullopt;
    case DefaultKind::CurrentTimestamp:
      if (column.default_precision == 0) return "CURRENT_TIMESTAMP";
      return fmt::format("CURRENT_TIMESTAMP({})", column.default_precision);
    case DefaultKind::CurrentDate:
      return "CURRENT_DATE";
    default:
      return column.default_value.value_or("");
  }
}

const char* key_words(KeyModel model) {
  switch (model) {
    case KeyModel::Duplicate:
      return "DUPLICATE KEY";
    case KeyModel::Unique:
      return "UNIQUE KEY";
    case KeyModel::Aggregate:
      return "AGGREGATE KEY";
  }
  return "";
}

template <class Names>
std::vector<std::string> matching_keys(const Names& names, const std::optional<std::string>& like) {
  std::vector<std::string> out;
  for (const auto& [name, value] : names) {
    if (!like || matches_like(name, *like)) out.push_back(name);
  }
  return out;
}

}  // namespace

std::string quote_name(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    out += c;
    if (c == '`') out += c;
  }
  return out + "`";
}

std::string quote_text(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    switch (c) {
      case '\0':
        out += "\\0";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\x1a':
        out += "\\Z";
        break;
      default:
        if (c == quote || c == '\\') out += '\\';
        out += c;
    }
  }
  return out + quote;
}

std::string show_create_table(const Catalog&, const Table& table) {
  std::string out = fmt::format("CREATE TABLE {} (\n", quote_name(table.name));
  const char* between = "";
  const auto line = [&](const std::string& text) {
    out += between;
    out += "  " + text;
    between = ",\n";
  };
  for (const ColumnDef& column : table.schema->columns) line(column_text(column));
  for (const std::string& clause : table.index_clauses) line(clause);
  out += "\n) ENGINE=OLAP";
  if (!table.key_columns.empty()) {
    out += fmt::format("\n{}{}", key_words(table.key_model), name_list(*table.schema, table.key_columns));
  }
  if (!table.comment.empty()) out += "\nCOMMENT " + quote_text(table.comment, '\'');
  if (table.partitioning.kind != PartitionKind::None) {
    out += "\n" + table.partitioning.clause + "\n";
    out += partition_list_text(table.partitioning, partition_types(table));
  }
  out += "\nDISTRIBUTED BY ";
  out += table.distribution == Distribution::Hash ? "HASH" + name_list(*table.schema, table.hash_columns)
                                                  : "RANDOM";
  out += fmt::format(" BUCKETS {}", table.buckets);
  if (!table.properties.empty()) {
    out += "\nPROPERTIES (";
    const char* comma = "\n";
    for (const auto& [key, value] : table.properties) {
      out += fmt::format("{}{} = {}", comma, quote_text(key, '"'), quote_text(value, '"'));
      comma = ",\n";
    }
    out += "\n)";
  }
  return out + ";";
}

// A pattern without more than one % still open at a time: on a mismatch the last % takes one byte more.
bool matches_like(std::string_view text, std::string_view pattern) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t retry_text = 0;
  std::size_t retry_pattern = kNone;
  const auto character_end = [&](std::size_t at) {
    do ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U);
    return at;
  };
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      retry_pattern = ++p;
      retry_text = t;
      continue;
    }
    if (p < pattern.size() && pattern[p] == '_') {
      ++p;
      t = character_end(t);
      continue;
    }
    const std::size_t literal = p + 1 < pattern.size() && pattern[p] == '\\' ? p + 1 : p;
    if (literal < pattern.size() && pattern[literal] == text[t]) {
      p = literal + 1;
      ++t;
    } else if (retry_pattern != kNone) {
      p = retry_pattern;
      t = retry_text = character_end(retry_text);
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

ColumnList list_columns(const Table& table, const ShowColumnsStatement& statement) {
  using Form = ShowColumnsStatement::Form;
  ColumnList out;
  if (statement.form == Form::ShowFull) {
    out.names = {"Field", "Type", "Collation", "Null", "Key", "Default", "Extra", "Privileges", "Comment"};
  } else {
    out.names = {"Field", "Type", "Null", "Key", "Default", "Extra"};
  }
  const bool describes = statement.form == Form::Describe;
  for (const ColumnDef& column : table.schema->columns) {
    if (statement.like && !matches_like(lower_case(column.name), lower_case(*statement.like))) continue;
    const std::string null = describes ? (column.nullable ? "Yes" : "No") : (column.nullable ? "YES" : "NO");
    const std::string key = describes ? (column.is_key ? "true" : "false") : (column.is_key ? "YES" : "NO");
    // Value columns of a DUPLICATE KEY table have the aggregation NONE.
    const std::string extra = column.is_key ? "" : "NONE";
    if (statement.form == Form::ShowFull) {
      out.rows.push_back({column.name, type_name(column.type), "", null, key, default_text(column), extra, "",
                          column.comment});
    } else {
      out.rows.push_back({column.name, type_name(column.type), null, key, default_text(column), extra});
    }
  }
  return out;
}

std::vector<std::string> list_databases(const Catalog& catalog, const std::optional<std::string>& like) {
  return matching_keys(catalog.databases(), like);
}

std::vector<std::string> list_tables(const Database& database, const std::optional<std::string>& like) {
  return matching_keys(database.tables, like);
}

}  // namespace penstock::txn
