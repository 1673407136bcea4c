#include <algorithm>
#include <bit>

#include "core/base/checksum.hpp"
#include "txn/column/bit_pack.hpp"
#include "txn/column/block_format.hpp"

namespace penstock::txn {
namespace {

using core::Errc;
using core::fail;
using core::Result;

BlockPart get_part(core::ByteReader& reader) {
  BlockPart part;
  part.offset = reader.get<std::uint32_t>();
  part.length = reader.get<std::uint32_t>();
  return part;
}

bool is_integer(const Type& type) {
  return !is_string(type) && !is_nested(type) && type.kind != TypeKind::Double &&
         type.kind != TypeKind::Float && fixed_width(type) <= 8;
}

bool is_allowed(Encoding encoding, const Type& type) {
  switch (encoding) {
    case Encoding::Plain:
      return !is_string(type) && !is_nested(type);
    case Encoding::Constant:
      return !is_nested(type);
    case Encoding::FrameOfReference:
    case Encoding::Delta:
      return is_integer(type);
    case Encoding::Dictionary:
    case Encoding::LengthPacked:
      return is_string(type);
    case Encoding::Nested:
      return is_nested(type);
  }
  return false;
}

// A nested type is only its kind here: what is inside comes from the column's own data.
bool is_valid_header(const Type& type) {
  if (type.kind < TypeKind::Array || type.kind > TypeKind::Struct) return is_valid(type);
  return type.precision == 0 && type.scale == 0 && type.length == 0;
}

// What can be said about a column without its buffers. Its rows are the block's, or for one inside of a nested column
// what stands where others have their id.
Result<BlockColumn> get_column(core::ByteReader& reader, const BlockHeader& header, bool is_inside) {
  BlockColumn column;
  column.id.value = reader.get<std::uint32_t>();
  const std::uint32_t rows = is_inside ? column.id.value : header.rows;
  column.type.kind = reader.get<TypeKind>();
  column.type.precision = reader.get<std::uint8_t>();
  column.type.scale = reader.get<std::uint8_t>();
  column.encoding = reader.get<Encoding>();
  column.type.length = reader.get<std::uint32_t>();
  column.null_count = reader.get<std::uint32_t>();
  const auto bit_width = reader.get<std::uint32_t>();
  column.entries = reader.get<std::uint32_t>();
  column.validity = get_part(reader);
  column.data = get_part(reader);
  column.aux = get_part(reader);
  column.base = reader.get<std::uint64_t>();
  column.delta_base = reader.get<std::uint64_t>();
  column.step = reader.get<std::uint32_t>();
  const auto reserved = reader.get<std::uint32_t>();
  if (!reader.ok() || reserved != 0) return fail(Errc::Corrupt, "a block's column header");
  if (!is_valid_header(column.type)) return fail(Errc::Corrupt, "a block's column type");
  if (!is_allowed(column.encoding, column.type)) return fail(Errc::Corrupt, "a block's column encoding");
  if (column.null_count > rows || bit_width > 64) return fail(Errc::Corrupt, "a block's column counts");
  column.bit_width = static_cast<std::uint8_t>(bit_width);
  for (const BlockPart& part : {column.validity, column.data, column.aux}) {
    if (part.length == 0) continue;
    if (part.offset % 8 != 0 || part.offset < header.header_bytes ||
        std::uint64_t{part.offset} + part.length > header.total_bytes) {
      return fail(Errc::Corrupt, "where a block's column lies");
    }
  }
  const bool has_bitmap = column.null_count != 0 && column.null_count != rows;
  if (column.validity.length != (has_bitmap ? (std::uint64_t{rows} + 7) / 8 : 0)) {
    return fail(Errc::Corrupt, "a block's validity bitmap");
  }
  if (rows == 0 && column.encoding != Encoding::Constant && column.encoding != Encoding::Nested) {
    return fail(Errc::Corrupt, "a block's column without rows");
  }
  return column;
}

core::Bytes part_bytes(core::Bytes block, const BlockPart& part) {
  return part.length == 0 ? core::Bytes{} : block.subspan(part.offset, part.length);
}

// What all columns of a block are decoded with.
struct BlockSource {
  core::Bytes bytes;
  const BlockHeader& header;
  std::size_t budget = kBlockDecodedBytesMax;  // bytes that may still be unfolded
};

struct ColumnDecoder {
  const BlockColumn& from;
  std::uint32_t rows;
  BlockSource& source;
  std::size_t& nodes;  // columns inside of one column that may still come
  Block::Column& to;
  std::size_t depth = 1;
  core::Bytes data = part_bytes(source.bytes, from.data);
  core::Bytes aux = part_bytes(source.bytes, from.aux);

  bool take(std::size_t bytes) {
    if (bytes > source.budget) return false;
    source.budget -= bytes;
    return true;
  }
  bool all_null() const { return from.null_count == rows; }

  Result<> decode_validity(core::Bytes bits) {
    if (from.null_count == 0) return {};
    const std::size_t size = (std::size_t{rows} + 7) / 8;
    if (!take(size)) return fail(Errc::TooLarge, "unfolding a block");
    if (all_null()) {
      std::memset(to.validity.extend(size), 0, size);
      return {};
    }
    to.validity.append(bits.data(), size);
    auto* bytes = to.validity.as<std::uint8_t>();
    if (rows % 8 != 0) bytes[size - 1] = static_cast<std::uint8_t>(bytes[size - 1] & ((1u << rows % 8) - 1));
    std::size_t present = 0;
    for (std::size_t i = 0; i < size; ++i) present += static_cast<std::size_t>(std::popcount(bytes[i]));
    if (present + from.null_count != rows) return fail(Errc::Corrupt, "a block's count of NULLs");
    return {};
  }

  bool is_null(std::size_t row) const {
    return from.null_count != 0 && (to.validity.as<std::uint8_t>()[row >> 3] >> (row & 7) & 1) == 0;
  }

  template <class T>
  Result<> decode_integers() {
    T* out = reinterpret_cast<T*>(to.values.extend(rows * sizeof(T)));
    const std::uint64_t base = from.base;
    const std::uint64_t step = from.step;
    if (from.encoding == Encoding::FrameOfReference) {
      if (data.size() != packed_bytes(rows, from.bit_width))
        return fail(Errc::Corrupt, "a block's packed values");
      unpack(data.data(), rows, from.bit_width,
             [=](std::size_t i, std::uint64_t value) { out[i] = static_cast<T>(base + step * value); });
    } else {
      if (from.null_count != 0 || data.size() != packed_bytes(rows - 1, from.bit_width)) {
        return fail(Errc::Corrupt, "a block's packed differences");
      }
      std::uint64_t last = base;
      const std::uint64_t delta_base = from.delta_base;
      out[0] = static_cast<T>(last);
      unpack(data.data(), rows - 1, from.bit_width, [=, &last](std::size_t i, std::uint64_t value) {
        last += delta_base + step * value;
        out[i + 1] = static_cast<T>(last);
      });
    }
    return {};
  }

  Result<> decode_fixed() {
    if (rows == 0) return data.empty() ? Result<>() : fail(Errc::Corrupt, "a block's column without rows");
    const std::size_t width = fixed_width(from.type);
    if (!take(rows * width)) return fail(Errc::TooLarge, "unfolding a block");
    if (from.encoding == Encoding::Plain) {
      if (data.size() != rows * width) return fail(Errc::Corrupt, "a block's plain values");
      to.values.append(data.data(), data.size());
    } else if (from.encoding == Encoding::Constant) {
      if (data.size() != (all_null() ? 0 : width)) return fail(Errc::Corrupt, "a block's constant");
      std::byte* out = to.values.extend(rows * width);
      if (all_null()) {
        std::memset(out, 0, rows * width);
      } else {
        for (std::uint32_t i = 0; i < rows; ++i) std::memcpy(out + i * width, data.data(), width);
      }
    } else if (width == 1) {
      TRY_VOID(decode_integers<std::uint8_t>());
    } else if (width == 2) {
      TRY_VOID(decode_integers<std::uint16_t>());
    } else if (width == 4) {
      TRY_VOID(decode_integers<std::uint32_t>());
    } else {
      TRY_VOID(decode_integers<std::uint64_t>());
    }
    if (from.null_count != 0 && !all_null()) {
      for (std::uint32_t i = 0; i < rows; ++i) {
        if (is_null(i)) std::memset(to.values.data() + i * width, 0, width);
      }
    }
    return {};
  }

  Result<> decode_constant_text(std::uint32_t* ends) {
    if (all_null() && !data.empty()) return fail(Errc::Corrupt, "a block's constant");
    if (!take(rows * data.size())) return fail(Errc::TooLarge, "unfolding a block");
    std::byte* out = to.text.extend(rows * data.size());
    for (std::uint32_t i = 0; i < rows; ++i) {
      if (!data.empty()) std::memcpy(out + i * data.size(), data.data(), data.size());
      ends[i] = static_cast<std::uint32_t>((i + 1) * data.size());
    }
    return {};
  }

  // The ends of texts or lists, of which the last must be `size`.
  Result<> unpack_ends(std::uint64_t size, std::uint32_t* ends) {
    if (from.bit_width > 32 || from.base > UINT32_MAX || aux.size() != packed_bytes(rows, from.bit_width)) {
      return fail(Errc::Corrupt, "a block's packed lengths");
    }
    std::uint64_t end = 0;  // 2^32 * 2^33 at most: no overflow, and rising, so that all fit if the last does
    const std::uint64_t base = from.base;
    unpack(aux.data(), rows, from.bit_width, [=, &end](std::size_t i, std::uint64_t value) {
      end += base + value;
      ends[i] = static_cast<std::uint32_t>(end);
    });
    if (end != size) return fail(Errc::Corrupt, "a block's packed lengths");
    return {};
  }

  Result<> decode_lengths(std::uint32_t* ends) {
    if (!take(data.size())) return fail(Errc::TooLarge, "unfolding a block");
    TRY_VOID(unpack_ends(data.size(), ends));
    to.text.append(data.data(), data.size());
    return {};
  }

  Result<> decode_dictionary(std::uint32_t* ends) {
    const std::size_t lengths_bytes = std::size_t{from.entries} * sizeof(std::uint32_t);
    if (from.bit_width > 16 || from.entries == 0 || from.entries > 65535 || lengths_bytes > aux.size() ||
        data.size() != packed_bytes(rows, from.bit_width)) {
      return fail(Errc::Corrupt, "a block's dictionary");
    }
    std::vector<std::uint32_t> starts(from.entries + std::size_t{1});
    std::uint64_t end = 0;
    for (std::uint32_t i = 0; i < from.entries; ++i) {
      std::uint32_t length;
      std::memcpy(&length, aux.data() + i * sizeof length, sizeof length);
      end += length;
      if (end > aux.size() - lengths_bytes) return fail(Errc::Corrupt, "a block's dictionary");
      starts[i + 1] = static_cast<std::uint32_t>(end);
    }
    const core::Bytes text = aux.subspan(lengths_bytes);
    if (end != text.size()) return fail(Errc::Corrupt, "a block's dictionary");

    // First the ends, so that the whole size is known, and bounded, before any text is copied.
    bool in_range = true;
    std::uint64_t total = 0;
    const std::uint32_t entries = from.entries;
    const std::uint32_t* start_of = starts.data();
    unpack(data.data(), rows, from.bit_width, [=, &in_range, &total](std::size_t i, std::uint64_t code) {
      if (code >= entries) {
        in_range = false;
        code = 0;
      }
      total += start_of[code + 1] - start_of[code];
      ends[i] = static_cast<std::uint32_t>(total);
    });
    if (!in_range) return fail(Errc::Corrupt, "a block's dictionary code");
    if (!take(total)) return fail(Errc::TooLarge, "unfolding a block");
    std::byte* out = to.text.extend(total);
    unpack(data.data(), rows, from.bit_width, [=](std::size_t i, std::uint64_t code) {
      const std::uint32_t length = start_of[code + 1] - start_of[code];
      if (length != 0) std::memcpy(out + (ends[i] - length), text.data() + start_of[code], length);
    });
    return {};
  }

  Result<> decode_text() {
    if (rows == 0) return data.empty() ? Result<>() : fail(Errc::Corrupt, "a block's column without rows");
    if (!take((rows + std::size_t{1}) * sizeof(std::uint32_t)))
      return fail(Errc::TooLarge, "unfolding a block");
    auto* offsets = reinterpret_cast<std::uint32_t*>(to.values.extend((rows + std::size_t{1}) * 4));
    offsets[0] = 0;
    if (from.encoding == Encoding::Constant) return decode_constant_text(offsets + 1);
    if (from.encoding == Encoding::Dictionary) return decode_dictionary(offsets + 1);
    return decode_lengths(offsets + 1);
  }

  // The columns inside, and so the column's whole type. Hostile headers may name each other; depth and nodes bound that.
  Result<> decode_nested() {
    const bool is_struct = from.type.kind == TypeKind::Struct;
    const std::size_t count = data.size() / kBlockColumnHeaderBytes;
    if (data.size() % kBlockColumnHeaderBytes != 0 || count != from.entries || count > nodes ||
        depth > kNestedDepthMax || (!is_struct && count != (from.type.kind == TypeKind::Map ? 2u : 1u))) {
      return fail(Errc::Corrupt, "what is inside of a block's nested column");
    }
    nodes -= count;
    NestedType nested;
    core::ByteReader names(aux);
    core::ByteReader headers(data);
    std::uint32_t list_rows = 0;
    to.children.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      TRY(const BlockColumn column, get_column(headers, source.header, true));
      const std::uint32_t child_rows = column.id.value;
      if (is_struct) {
        nested.names.push_back(names.get_text());
        if (child_rows != rows || !names.ok()) return fail(Errc::Corrupt, "a block's STRUCT");
      } else if (i != 0 && child_rows != list_rows) {
        return fail(Errc::Corrupt, "a block's MAP");
      }
      list_rows = child_rows;
      ColumnDecoder child{column, child_rows, source, nodes, to.children[i], depth + 1};
      TRY_VOID(child.decode());
      nested.children.push_back(to.children[i].view.type);
      to.view.children.push_back(to.children[i].view);
    }
    to.view.type = from.type;
    to.view.type.nested = std::make_shared<const NestedType>(std::move(nested));
    if (depth == 1 && !is_valid(to.view.type)) return fail(Errc::Corrupt, "a block's nested type");
    if (is_struct) return {};
    if (rows == 0) {
      return list_rows == 0 && aux.empty() ? Result<>() : fail(Errc::Corrupt, "a block's lists");
    }
    if (!take((rows + std::size_t{1}) * sizeof(std::uint32_t)))
      return fail(Errc::TooLarge, "unfolding a block");
    auto* offsets = reinterpret_cast<std::uint32_t*>(to.values.extend((rows + std::size_t{1}) * 4));
    offsets[0] = 0;
    to.view.offsets = offsets;
    return unpack_ends(list_rows, offsets + 1);
  }

  Result<> decode() {
    TRY_VOID(decode_validity(part_bytes(source.bytes, from.validity)));
    const bool text = is_string(from.type);
    to.view.type = from.type;
    if (is_nested(from.type)) {
      TRY_VOID(decode_nested());
    } else if (text) {
      TRY_VOID(decode_text());
    } else {
      TRY_VOID(decode_fixed());
    }
    to.id = from.id;
    to.view.rows = rows;
    to.view.null_count = from.null_count;
    if (from.null_count != 0) to.view.validity = to.validity.as<std::uint8_t>();
    if (is_nested(from.type)) return {};
    if (text) {
      to.view.offsets = to.values.as<std::uint32_t>();
      to.view.text = to.text.as<char>();
    } else {
      to.view.values = to.values.data();
    }
    return {};
  }
};

Result<Block> decode_some(core::Bytes bytes, const std::span<const ColumnId>* wanted) {
  Block block;
  TRY(block.header, decode_block_header(bytes));
  if (block.header.total_bytes > bytes.size()) return fail(Errc::Corrupt, "a block that is cut short");
  BlockSource source{bytes, block.header};
  for (const BlockColumn& column : block.header.columns) {
    if (wanted != nullptr && std::find(wanted->begin(), wanted->end(), column.id) == wanted->end()) continue;
    Block::Column& to = block.columns.emplace_back();
    std::size_t nodes = kNestedNodesMax;
    ColumnDecoder decoder{column, block.header.rows, source, nodes, to};
    TRY_VOID(decoder.decode());
  }
  return block;
}

}  // namespace

const BlockColumn* BlockHeader::find(ColumnId id) const {
  for (const BlockColumn& column : columns) {
    if (column.id == id) return &column;
  }
  return nullptr;
}

const ColumnView* Block::find(ColumnId id) const {
  for (const Column& column : columns) {
    if (column.id == id) return &column.view;
  }
  return nullptr;
}

core::Result<BlockHeader> decode_block_header(core::Bytes bytes) {
  BlockHeader header;
  core::ByteReader reader(bytes);
  if (reader.get<std::uint32_t>() != kBlockMagic) return fail(Errc::Corrupt, "a block's magic");
  const auto version = reader.get<std::uint16_t>();
  if (reader.ok() && version != kBlockVersion) return fail(Errc::Unsupported, "a block's format version");
  const auto flags = reader.get<std::uint16_t>();
  header.total_bytes = reader.get<std::uint64_t>();
  header.header_bytes = reader.get<std::uint32_t>();
  header.rows = reader.get<std::uint32_t>();
  header.table.value = reader.get<std::uint64_t>();
  header.schema.value = reader.get<std::uint64_t>();
  header.bucket_low = reader.get<std::uint32_t>();
  header.bucket_high = reader.get<std::uint32_t>();
  header.first_row_offset = reader.get<std::uint64_t>();
  header.input_bytes = reader.get<std::uint64_t>();
  const auto column_count = reader.get<std::uint16_t>();
  header.key_model = reader.get<KeyModel>();
  const auto reserved = reader.get<std::uint8_t>() + reader.get<std::uint32_t>();
  if (!reader.ok()) return fail(Errc::Corrupt, "a block header that is cut short");
  if (flags != 0 || reserved != 0 || column_count == 0 || column_count > kColumnsMax ||
      header.key_model > KeyModel::Aggregate || header.bucket_low > header.bucket_high) {
    return fail(Errc::Corrupt, "a block's header");
  }
  if (header.rows == 0 || header.rows > kBlockRowsMax) return fail(Errc::Corrupt, "a block's row count");
  if (header.header_bytes != kBlockFixedHeaderBytes + column_count * kBlockColumnHeaderBytes + 8 ||
      header.header_bytes > bytes.size() || header.total_bytes < header.header_bytes ||
      header.total_bytes > UINT32_MAX || header.total_bytes % 8 != 0) {
    return fail(Errc::Corrupt, "a block's lengths");
  }
  core::ByteReader hash(bytes.subspan(header.header_bytes - 8, 8));
  if (hash.get<std::uint64_t>() != block_header_hash(bytes.first(header.header_bytes - 8))) {
    return fail(Errc::Corrupt, "a block header's hash");
  }
  header.columns.reserve(column_count);
  for (std::uint16_t i = 0; i < column_count; ++i) {
    TRY(BlockColumn column, get_column(reader, header, false));
    header.columns.push_back(column);
  }
  return header;
}

core::Result<Block> decode_block(core::Bytes bytes) { return decode_some(bytes, nullptr); }

core::Result<Block> decode_block(core::Bytes bytes, std::span<const ColumnId> columns) {
  return decode_some(bytes, &columns);
}

}  // namespace penstock::txn
