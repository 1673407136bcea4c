#include "txn/rowset/block_lift.hpp"

#include <cstring>
#include <memory>
#include <utility>

#include "txn/column/calendar.hpp"
#include "txn/decode/column_decode.hpp"
#include "txn/decode/initial_value.hpp"

namespace penstock::txn {
namespace {

// Values one by one into a buffer of wider ones. Below a NULL lies 0, and stays 0.
template <class From, class To, class Convert>
GrowBuffer convert_all(const ColumnView& view, Convert convert) {
  GrowBuffer out;
  auto* to = reinterpret_cast<To*>(out.extend(std::size_t{view.rows} * sizeof(To)));
  for (std::size_t row = 0; row < view.rows; ++row) to[row] = convert(view.value<From>(row));
  return out;
}

template <class From, class To>
GrowBuffer cast_all(const ColumnView& view) {
  return convert_all<From, To>(view, [](From value) { return static_cast<To>(value); });
}

template <class To>
GrowBuffer widen_number(const ColumnView& view) {
  switch (view.type.kind) {
    case TypeKind::TinyInt:
      return cast_all<std::int8_t, To>(view);
    case TypeKind::SmallInt:
      return cast_all<std::int16_t, To>(view);
    case TypeKind::Int:
      return cast_all<std::int32_t, To>(view);
    case TypeKind::Float:
      return cast_all<float, To>(view);
    default:
      return cast_all<std::int64_t, To>(view);
  }
}

// (A block is no place for CHECKs: of digits that its type does not allow some number comes out.)
template <class From, class To>
GrowBuffer rescale(const ColumnView& view, unsigned digits) {
  UInt128 factor = 1;
  for (unsigned i = 0; i < digits; ++i) factor *= 10;
  return convert_all<From, To>(view, [factor](From value) {
    return static_cast<To>(static_cast<UInt128>(static_cast<Int128>(value)) * factor);
  });
}

GrowBuffer widen_decimal(const ColumnView& view, const Type& type) {
  const unsigned digits = type.scale - view.type.scale;
  if (fixed_width(view.type) == 16) return rescale<Int128, Int128>(view, digits);
  return fixed_width(type) == 16 ? rescale<std::int64_t, Int128>(view, digits)
                                 : rescale<std::int64_t, std::int64_t>(view, digits);
}

GrowBuffer widen_values(const ColumnView& view, const Type& type) {
  switch (type.kind) {
    case TypeKind::SmallInt:
      return widen_number<std::int16_t>(view);
    case TypeKind::Int:
      return widen_number<std::int32_t>(view);
    case TypeKind::BigInt:
      return widen_number<std::int64_t>(view);
    case TypeKind::LargeInt:
      return widen_number<Int128>(view);
    case TypeKind::Float:
      return widen_number<float>(view);
    case TypeKind::Double:
      return widen_number<double>(view);
    case TypeKind::Decimal:
      return widen_decimal(view, type);
    default:  // a DATE as a DATETIME
      return convert_all<std::int32_t, std::int64_t>(view, [](std::int32_t days) {
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(std::int64_t{days}) *
                                         static_cast<std::uint64_t>(kMicrosPerDay));
      });
  }
}

core::Result<> widen(Block::Column& column, const Type& type) {
  if (column.view.type == type) return {};
  if (!can_widen(column.view.type, type))
    return core::fail(core::Errc::Corrupt, "a block's column of a type that its table never had");
  // Texts lie as they lay, and so do times with more digits.
  if (!is_string(type) && column.view.type.kind != TypeKind::DateTime) {
    column.values = widen_values(column.view, type);
    column.view.values = column.values.data();
  }
  column.view.type = type;
  return {};
}

core::Result<> add_constant(Block& block, const ColumnDef& definition) {
  const auto value = parse_initial_value(definition);
  if (!value) return core::fail(core::Errc::Corrupt, "a column's initial value");
  auto builder = std::make_unique<ColumnBuilder>(definition.type);
  fill_column(*value, 1, *builder);
  Block::Column& column = block.columns.emplace_back();
  column.id = definition.id;
  column.view = builder->view();
  column.view.rows = block.rows();
  if (column.view.null_count != 0) column.view.null_count = block.rows();
  column.view.row_mask = 0;
  block.constants.push_back(std::move(builder));
  return {};
}

}  // namespace

core::Result<> lift_block(Block& block, const TableSchema& schema, std::span<const ColumnId> wanted) {
  // All of them mostly stand in one order: the next is looked for behind the last, and then everywhere.
  const auto find_from = [](const auto& list, std::size_t& hint, ColumnId id) {
    if (hint >= list.size() || list[hint].id != id) {
      hint = 0;
      while (hint < list.size() && list[hint].id != id) ++hint;
    }
    return hint < list.size() ? hint++ : list.size();
  };
  std::size_t next_column = 0;
  std::size_t next_definition = 0;
  for (const ColumnId id : wanted) {
    const std::size_t definition = find_from(schema.columns, next_definition, id);
    if (definition == schema.columns.size()) continue;
    const std::size_t column = find_from(block.columns, next_column, id);
    if (column < block.columns.size()) {
      TRY_VOID(widen(block.columns[column], schema.columns[definition].type));
    } else {
      TRY_VOID(add_constant(block, schema.columns[definition]));
    }
  }
  return {};
}

}  // namespace penstock::txn
