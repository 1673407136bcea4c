#include <algorithm>
#include <bit>
#include <limits>

#include "core/base/check.hpp"
#include "core/base/checksum.hpp"
#include "txn/column/bit_pack.hpp"
#include "txn/column/block_format.hpp"
#include "txn/column/string_dictionary.hpp"

namespace penstock::txn {
namespace {

constexpr std::size_t kSampleRows = 128;

// Buffers of one block, each aligned to 8 from the block's start.
class PartWriter {
 public:
  PartWriter(std::vector<std::byte>& out, std::size_t start) : out_(out), start_(start) {}

  // Zeroed room that stays valid until the next call.
  std::byte* add(std::size_t size, BlockPart& part) {
    align();
    part = {static_cast<std::uint32_t>(out_.size() - start_), static_cast<std::uint32_t>(size)};
    if (size == 0) part.offset = 0;
    out_.resize(out_.size() + size);
    return out_.data() + out_.size() - size;
  }
  void add_copy(const void* from, std::size_t size, BlockPart& part) {
    align();
    part = {static_cast<std::uint32_t>(out_.size() - start_), static_cast<std::uint32_t>(size)};
    if (size == 0) part.offset = 0;
    const auto* bytes = static_cast<const std::byte*>(from);
    if (size != 0) out_.insert(out_.end(), bytes, bytes + size);
  }
  void align() { out_.resize(start_ + core::round_up(out_.size() - start_, 8)); }

 private:
  std::vector<std::byte>& out_;
  const std::size_t start_;
};

void encode_plain(const ColumnView& view, std::size_t width, PartWriter& parts, BlockColumn& column) {
  column.encoding = Encoding::Plain;
  parts.add_copy(view.values, view.rows * width, column.data);
}

void encode_constant(const void* value, std::size_t width, PartWriter& parts, BlockColumn& column) {
  column.encoding = Encoding::Constant;
  parts.add_copy(value, width, column.data);
}

struct Range {
  std::int64_t low = INT64_MAX;
  std::int64_t high = INT64_MIN;
  std::uint64_t span() const { return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low); }
};

template <class T>
Range range_of(const ColumnView& view) {
  const T* values = reinterpret_cast<const T*>(view.values);
  T low = std::numeric_limits<T>::max();
  T high = std::numeric_limits<T>::min();
  if (view.null_count == 0) {
    for (std::uint32_t i = 0; i < view.rows; ++i) {
      low = std::min(low, values[i]);
      high = std::max(high, values[i]);
    }
  } else {
    for (std::uint32_t i = 0; i < view.rows; ++i) {
      if (view.is_null(i)) continue;
      low = std::min(low, values[i]);
      high = std::max(high, values[i]);
    }
  }
  return {static_cast<std::int64_t>(low), static_cast<std::int64_t>(high)};
}

// Timestamps are often whole seconds or milliseconds: then only the seconds need bits.
std::uint32_t step_of(const ColumnView& view, std::int64_t base) {
  if (view.type.kind != TypeKind::DateTime || view.null_count != 0) return 1;
  for (const std::uint32_t step : {1'000'000u, 1'000u}) {
    bool all = true;
    for (std::uint32_t i = 0; i < view.rows && all; ++i) {
      all = (static_cast<std::uint64_t>(view.value<std::int64_t>(i)) - static_cast<std::uint64_t>(base)) %
                step ==
            0;
    }
    if (all) return step;
  }
  return 1;
}

// True, with the range of differences, if they need clearly fewer bits than the values do.
template <class T>
bool wants_delta(const ColumnView& view, unsigned value_width, std::uint32_t step, Range& deltas) {
  if (view.null_count != 0 || view.rows < kSampleRows || value_width > 60) return false;
  const T* values = reinterpret_cast<const T*>(view.values);
  const auto widen = [&](std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = from; i < to; ++i) {
      const std::int64_t delta =
          static_cast<std::int64_t>(values[i]) - static_cast<std::int64_t>(values[i - 1]);
      deltas.low = std::min(deltas.low, delta);
      deltas.high = std::max(deltas.high, delta);
    }
    return static_cast<unsigned>(std::bit_width(deltas.span() / step)) + 2 <= value_width;
  };
  return widen(1, kSampleRows) && widen(kSampleRows, view.rows);
}

template <class T, unsigned kStep>
void pack_values(const ColumnView& view, std::uint64_t base, unsigned width, std::byte* out) {
  const T* values = reinterpret_cast<const T*>(view.values);
  if (view.null_count == 0) {
    pack(out, view.rows, width, [=](std::size_t i) {
      return (static_cast<std::uint64_t>(static_cast<std::int64_t>(values[i])) - base) / kStep;
    });
  } else {
    pack(out, view.rows, width, [=, &view](std::size_t i) {
      if (view.is_null(i)) return std::uint64_t{0};
      return (static_cast<std::uint64_t>(static_cast<std::int64_t>(values[i])) - base) / kStep;
    });
  }
}

template <class T, unsigned kStep>
void pack_deltas(const ColumnView& view, std::uint64_t delta_base, unsigned width, std::byte* out) {
  const T* values = reinterpret_cast<const T*>(view.values);
  pack(out, view.rows - 1, width, [=](std::size_t i) {
    const std::int64_t delta =
        static_cast<std::int64_t>(values[i + 1]) - static_cast<std::int64_t>(values[i]);
    return (static_cast<std::uint64_t>(delta) - delta_base) / kStep;
  });
}

template <class T>
void encode_integers(const ColumnView& view, PartWriter& parts, BlockColumn& column) {
  const Range range = range_of<T>(view);
  if (range.low == range.high) {
    const T value = static_cast<T>(range.low);
    return encode_constant(&value, sizeof value, parts, column);
  }
  const std::uint32_t step = step_of(view, range.low);
  const auto width = static_cast<unsigned>(std::bit_width(range.span() / step));
  Range deltas;
  if (wants_delta<T>(view, width, step, deltas)) {
    column.encoding = Encoding::Delta;
    column.base = static_cast<std::uint64_t>(static_cast<std::int64_t>(view.value<T>(0)));
    column.delta_base = static_cast<std::uint64_t>(deltas.low);
    column.step = step;
    column.bit_width = static_cast<std::uint8_t>(std::bit_width(deltas.span() / step));
    std::byte* out = parts.add(packed_bytes(view.rows - 1, column.bit_width), column.data);
    if (step == 1'000'000) return pack_deltas<T, 1'000'000>(view, column.delta_base, column.bit_width, out);
    if (step == 1'000) return pack_deltas<T, 1'000>(view, column.delta_base, column.bit_width, out);
    return pack_deltas<T, 1>(view, column.delta_base, column.bit_width, out);
  }
  if (packed_bytes(view.rows, width) >= view.rows * sizeof(T))
    return encode_plain(view, sizeof(T), parts, column);
  column.encoding = Encoding::FrameOfReference;
  column.base = static_cast<std::uint64_t>(range.low);
  column.step = step;
  column.bit_width = static_cast<std::uint8_t>(width);
  std::byte* out = parts.add(packed_bytes(view.rows, width), column.data);
  if (step == 1'000'000) return pack_values<T, 1'000'000>(view, column.base, width, out);
  if (step == 1'000) return pack_values<T, 1'000>(view, column.base, width, out);
  return pack_values<T, 1>(view, column.base, width, out);
}

// Values that are not integers of at most 8 bytes: all equal, or as they are.
void encode_wide(const ColumnView& view, std::size_t width, PartWriter& parts, BlockColumn& column) {
  if (view.null_count == 0) {
    std::uint32_t equal = 1;
    while (equal < view.rows && std::memcmp(view.values, view.values + equal * width, width) == 0) ++equal;
    if (equal == view.rows) return encode_constant(view.values, width, parts, column);
  }
  encode_plain(view, width, parts, column);
}

// Lengths between offsets, less the shortest, into the column's aux.
void pack_lengths(const ColumnView& view, PartWriter& parts, BlockColumn& column) {
  std::uint32_t low = UINT32_MAX;
  std::uint32_t high = 0;
  for (std::uint32_t i = 0; i < view.rows; ++i) {
    const std::uint32_t length = view.offsets[i + 1] - view.offsets[i];
    low = std::min(low, length);
    high = std::max(high, length);
  }
  column.base = low;
  column.bit_width = static_cast<std::uint8_t>(std::bit_width(high - low));
  std::byte* out = parts.add(packed_bytes(view.rows, column.bit_width), column.aux);
  const std::uint32_t* offsets = view.offsets;
  pack(out, view.rows, column.bit_width,
       [=](std::size_t i) { return std::uint64_t{offsets[i + 1] - offsets[i] - low}; });
}

void encode_lengths(const ColumnView& view, PartWriter& parts, BlockColumn& column) {
  column.encoding = Encoding::LengthPacked;
  pack_lengths(view, parts, column);
  parts.add_copy(view.text + view.offsets[0], view.text_bytes(), column.data);
}

void encode_dictionary(const ColumnView& view, const StringDictionary& dictionary,
                       const std::vector<std::uint16_t>& codes, PartWriter& parts, BlockColumn& column) {
  column.encoding = Encoding::Dictionary;
  column.entries = static_cast<std::uint32_t>(dictionary.size());
  column.bit_width = static_cast<std::uint8_t>(std::bit_width(dictionary.size() - 1));
  std::byte* out = parts.add(packed_bytes(view.rows, column.bit_width), column.data);
  const std::uint16_t* all = codes.data();
  pack(out, view.rows, column.bit_width, [=](std::size_t i) { return std::uint64_t{all[i]}; });
  out = parts.add(dictionary.size() * sizeof(std::uint32_t) + dictionary.text_bytes(), column.aux);
  std::byte* text = out + dictionary.size() * sizeof(std::uint32_t);
  for (std::size_t i = 0; i < dictionary.size(); ++i) {
    const std::string_view entry = dictionary.at(i);
    const auto length = static_cast<std::uint32_t>(entry.size());
    std::memcpy(out + i * sizeof length, &length, sizeof length);
    if (length != 0) std::memcpy(text, entry.data(), length);
    text += length;
  }
}

// How many distinct strings an even sample has.
std::size_t sampled_distinct(const ColumnView& view, StringDictionary& dictionary) {
  const std::uint32_t stride = std::max<std::uint32_t>(1, view.rows / kSampleRows);
  std::size_t sampled = 0;
  for (std::uint32_t row = 0; row < view.rows && sampled < kSampleRows; row += stride, ++sampled) {
    dictionary.add_padded(view.text_at(row));
  }
  const std::size_t distinct = dictionary.size();
  dictionary.clear();
  return distinct;
}

void encode_strings(const ColumnView& view, StringDictionary& dictionary, std::vector<std::uint16_t>& codes,
                    PartWriter& parts, BlockColumn& column) {
  dictionary.clear();
  const std::size_t distinct = sampled_distinct(view, dictionary);
  if (distinct == 1 && view.null_count == 0) {
    const std::string_view first = view.text_at(0);
    std::uint32_t equal = 1;
    while (equal < view.rows && view.text_at(equal) == first) ++equal;
    if (equal == view.rows) return encode_constant(first.data(), first.size(), parts, column);
  }
  const std::size_t entries_max = std::min<std::size_t>(65535, view.rows / 4);
  if (distinct <= kSampleRows * 3 / 8 && distinct <= entries_max) {
    codes.resize(view.rows);
    std::uint32_t row = 0;
    for (; row < view.rows; ++row) {
      const std::uint32_t code = dictionary.add_padded(view.text_at(row));
      codes[row] = static_cast<std::uint16_t>(code);
      if (code >= entries_max) break;  // also if it is none
    }
    if (row == view.rows) return encode_dictionary(view, dictionary, codes, parts, column);
  }
  encode_lengths(view, parts, column);
}

void put_part(core::ByteWriter& writer, const BlockPart& part) {
  writer.put(part.offset);
  writer.put(part.length);
}

void put_column(core::ByteWriter& writer, const BlockColumn& column) {
  writer.put(column.id.value);
  writer.put(column.type.kind);
  writer.put(column.type.precision);
  writer.put(column.type.scale);
  writer.put(column.encoding);
  writer.put(column.type.length);
  writer.put(column.null_count);
  writer.put(std::uint32_t{column.bit_width});
  writer.put(column.entries);
  put_part(writer, column.validity);
  put_part(writer, column.data);
  put_part(writer, column.aux);
  writer.put(column.base);
  writer.put(column.delta_base);
  writer.put(column.step);
  writer.put(std::uint32_t{0});
}

struct ColumnEncoder {
  PartWriter& parts;
  StringDictionary& dictionary;
  std::vector<std::uint16_t>& codes;

  void encode(const ColumnView& view, BlockColumn& column) {
    column.type = view.type;
    column.null_count = view.null_count;
    const bool all_null = view.null_count == view.rows;  // or no rows at all, inside of nested columns
    if (all_null && !is_nested(view.type)) return encode_constant(nullptr, 0, parts, column);
    if (!all_null && view.null_count != 0)
      parts.add_copy(view.validity, (view.rows + 7) / 8, column.validity);
    const std::size_t width = fixed_width(view.type);
    if (is_nested(view.type)) {
      encode_nested(view, column);
    } else if (width == 0) {
      encode_strings(view, dictionary, codes, parts, column);
    } else if (view.type.kind == TypeKind::Double || view.type.kind == TypeKind::Float || width == 16) {
      encode_wide(view, width, parts, column);
    } else if (view.type.kind == TypeKind::Boolean) {
      encode_integers<std::uint8_t>(view, parts, column);
    } else if (view.type.kind == TypeKind::IpV4) {
      encode_integers<std::uint32_t>(view, parts, column);
    } else if (width == 1) {
      encode_integers<std::int8_t>(view, parts, column);
    } else if (width == 2) {
      encode_integers<std::int16_t>(view, parts, column);
    } else if (width == 4) {
      encode_integers<std::int32_t>(view, parts, column);
    } else {
      encode_integers<std::int64_t>(view, parts, column);
    }
  }

 private:
  // As deep as the type, which kNestedDepthMax bounds.
  void encode_nested(const ColumnView& view, BlockColumn& column) {
    column.encoding = Encoding::Nested;
    std::vector<std::byte> bytes;
    core::ByteWriter writer(bytes);
    if (view.type.kind == TypeKind::Struct) {
      for (const std::string& name : view.type.nested->names) writer.put_text(name);
      parts.add_copy(bytes.data(), bytes.size(), column.aux);
    } else if (view.rows != 0) {
      pack_lengths(view, parts, column);
    }
    bytes.clear();
    column.entries = static_cast<std::uint32_t>(view.children.size());
    for (const ColumnView& inside : view.children) {
      BlockColumn child;
      child.id.value = inside.rows;
      encode(inside, child);
      put_column(writer, child);
    }
    parts.add_copy(bytes.data(), bytes.size(), column.data);
  }
};

std::size_t block_header_bytes(std::size_t columns) {
  return kBlockFixedHeaderBytes + columns * kBlockColumnHeaderBytes + 8;
}

}  // namespace

std::uint64_t block_header_hash(core::Bytes header_without_hash) {
  return core::hash64(header_without_hash, kBlockMagic);
}

struct BlockEncoder::Scratch {
  StringDictionary dictionary;
  std::vector<std::uint16_t> codes;
};

BlockEncoder::~BlockEncoder() = default;

BlockEncoder::BlockEncoder(const BlockBuilder& rows, const BlockMeta& meta, std::vector<std::byte>& out)
    : rows_(rows),
      meta_(meta),
      out_(out),
      start_(out.size()),
      columns_(rows.schema().columns.size()),
      scratch_(std::make_unique<Scratch>()) {
  CHECK(rows.rows() != 0);
  CHECK_LE(rows.rows(), kBlockRowsMax);
  CHECK_LE(rows.bytes(), kBlockDecodedBytesMax);  // what could not be read back is not written
  const std::size_t header_bytes = block_header_bytes(columns_.size());
  out.reserve(start_ + header_bytes + rows.bytes() + 16 * columns_.size() + 64);
  out.resize(start_ + header_bytes);
}

bool BlockEncoder::step(std::size_t bytes) {
  PartWriter parts(out_, start_);
  ColumnEncoder encoder{parts, scratch_->dictionary, scratch_->codes};
  const std::size_t column_bytes = rows_.bytes() / columns_.size() + 1;
  for (std::size_t left = bytes / column_bytes + 1; left > 0 && next_ < columns_.size(); --left, ++next_) {
    columns_[next_].id = rows_.schema().columns[next_].id;
    encoder.encode(rows_.view(next_), columns_[next_]);
  }
  if (next_ < columns_.size()) return true;
  parts.align();
  put_header();
  return false;
}

void BlockEncoder::put_header() {
  const std::size_t header_bytes = block_header_bytes(columns_.size());
  std::vector<std::byte> header;
  header.reserve(header_bytes);
  core::ByteWriter writer(header);
  writer.put(kBlockMagic);
  writer.put(kBlockVersion);
  writer.put(std::uint16_t{0});
  writer.put(static_cast<std::uint64_t>(out_.size() - start_));
  writer.put(static_cast<std::uint32_t>(header_bytes));
  writer.put(static_cast<std::uint32_t>(rows_.rows()));
  writer.put(meta_.table.value);
  writer.put(rows_.schema().id.value);
  writer.put(meta_.bucket_low);
  writer.put(meta_.bucket_high);
  writer.put(rows_.first_row_offset());
  writer.put(static_cast<std::uint64_t>(rows_.input_bytes()));
  writer.put(static_cast<std::uint16_t>(columns_.size()));
  writer.put(meta_.key_model);
  writer.put(std::uint8_t{0});
  writer.put(std::uint32_t{0});
  CHECK_EQ(writer.size(), kBlockFixedHeaderBytes);
  for (const BlockColumn& column : columns_) put_column(writer, column);
  writer.put(block_header_hash(header));
  CHECK_EQ(header.size(), header_bytes);
  std::memcpy(out_.data() + start_, header.data(), header.size());
}

void encode_block(const BlockBuilder& rows, const BlockMeta& meta, std::vector<std::byte>& out) {
  BlockEncoder encoder(rows, meta, out);
  while (encoder.step(rows.bytes())) {
  }
}

}  // namespace penstock::txn
