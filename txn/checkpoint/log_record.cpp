#include "txn/checkpoint/log_record.hpp"

#include <cstring>

#include "core/base/check.hpp"

namespace penstock::txn {
namespace {

// magic 0, payload bytes 4, sequence 8, previous checksum 16, item count 24, zero 28, checksum 32, payload 40
constexpr std::uint32_t kMagic = 0x43525350;  // "PSRC"
constexpr std::size_t kChecksumAt = 32;
constexpr std::uint32_t kItemsMax = 1u << 20;

enum class ItemKind : std::uint8_t {
  Boot = 1,
  TxnRange = 2,
  Prepared = 3,
  Checkpoint = 4,
  Aborted = 5,
  Ddl = 6,
  Snapshot = 7,
  Time = 8,
  InFlight = 9,
  Piece = 10,
};

void put_place(core::ByteWriter& out, const RecordPlace& place) {
  out.put(place.file.value);
  out.put(place.offset);
  out.put(place.sequence);
  out.put(place.checksum);
}
RecordPlace get_place(core::ByteReader& in) {
  RecordPlace place;
  place.file.value = in.get<std::uint64_t>();
  place.offset = in.get<std::uint64_t>();
  place.sequence = in.get<std::uint64_t>();
  place.checksum = in.get<std::uint64_t>();
  return place;
}
void put_footers(core::ByteWriter& out, const std::vector<FooterRef>& footers) {
  out.put(static_cast<std::uint32_t>(footers.size()));
  for (const FooterRef& footer : footers) footer.encode(out);
}
std::vector<FooterRef> get_footers(core::ByteReader& in) {
  std::vector<FooterRef> footers(in.get_count(FooterRef::kEncodedBytes));
  for (FooterRef& footer : footers) footer = FooterRef::decode(in);
  return footers;
}

struct PutItem {
  core::ByteWriter& out;
  void operator()(const BootItem& item) const {
    out.put(ItemKind::Boot);
    out.put(static_cast<std::uint8_t>(item.has_previous));
    put_place(out, item.previous);
    out.put(static_cast<std::uint32_t>(item.previous_record.size()));
    out.put_bytes(item.previous_record);
  }
  void operator()(const TxnRangeItem& item) const {
    out.put(ItemKind::TxnRange);
    out.put(item.end);
  }
  void operator()(const PreparedItem& item) const {
    out.put(ItemKind::Prepared);
    item.load.encode(out);
    put_footers(out, item.footers);
  }
  void operator()(const CheckpointItem& item) const {
    out.put(ItemKind::Checkpoint);
    out.put(item.number.value);
    out.put(item.running_seconds);
    out.put(static_cast<std::uint32_t>(item.loads.size()));
    for (const LoadInfo& load : item.loads) load.encode(out);
    out.put(static_cast<std::uint32_t>(item.prepared.size()));
    for (const TxnId txn : item.prepared) out.put(txn.value);
    put_footers(out, item.footers);
  }
  void operator()(const AbortedItem& item) const {
    out.put(ItemKind::Aborted);
    out.put(item.txn.value);
    out.put_text(item.reason);
  }
  void operator()(const DdlItem& item) const {
    out.put(ItemKind::Ddl);
    encode_change(item.change, out);
  }
  void operator()(const SnapshotItem& item) const {
    out.put(ItemKind::Snapshot);
    out.put(item.file.value);
    out.put(item.length);
    out.put(item.checksum);
    out.put(item.sequence);
  }
  void operator()(const TimeItem& item) const {
    out.put(ItemKind::Time);
    out.put(item.running_seconds);
  }
  void operator()(const InFlightItem& item) const {
    out.put(ItemKind::InFlight);
    out.put(static_cast<std::uint32_t>(item.pieces.size()));
    for (const Extent& piece : item.pieces) piece.encode(out);
  }
  void operator()(const PieceItem& item) const {
    out.put(ItemKind::Piece);
    item.piece.encode(out);
    out.put(static_cast<std::uint32_t>(item.bytes.size()));
    out.put_bytes(item.bytes);
  }
};

// Sets the reader's failure for what does not decode.
LogItem get_item(core::ByteReader& in) {
  switch (in.get<ItemKind>()) {
    case ItemKind::Boot: {
      BootItem item;
      item.has_previous = in.get<std::uint8_t>() != 0;
      item.previous = get_place(in);
      const core::Bytes record = in.get_bytes(in.get_count(1));
      item.previous_record.assign(record.begin(), record.end());
      return item;
    }
    case ItemKind::TxnRange:
      return TxnRangeItem{in.get<std::uint64_t>()};
    case ItemKind::Prepared: {
      PreparedItem item;
      item.load = LoadInfo::decode(in);
      item.footers = get_footers(in);
      return item;
    }
    case ItemKind::Checkpoint: {
      CheckpointItem item;
      item.number.value = in.get<std::uint64_t>();
      item.running_seconds = in.get<std::uint64_t>();
      item.loads.resize(in.get_count(LoadInfo::kEncodedBytesMin));
      for (LoadInfo& load : item.loads) load = LoadInfo::decode(in);
      item.prepared.resize(in.get_count(8));
      for (TxnId& txn : item.prepared) txn.value = in.get<std::uint64_t>();
      item.footers = get_footers(in);
      return item;
    }
    case ItemKind::Aborted: {
      AbortedItem item;
      item.txn.value = in.get<std::uint64_t>();
      item.reason = in.get_text();
      return item;
    }
    case ItemKind::Ddl: {
      auto change = decode_change(in);
      if (!change) {
        in.fail();
        return TxnRangeItem{};
      }
      return DdlItem{std::move(*change)};
    }
    case ItemKind::Snapshot: {
      SnapshotItem item;
      item.file.value = in.get<std::uint64_t>();
      item.length = in.get<std::uint64_t>();
      item.checksum = in.get<std::uint64_t>();
      item.sequence = in.get<std::uint64_t>();
      return item;
    }
    case ItemKind::Time:
      return TimeItem{in.get<std::uint64_t>()};
    case ItemKind::InFlight: {
      InFlightItem item;
      item.pieces.resize(in.get_count(Extent::kEncodedBytes));
      for (Extent& piece : item.pieces) piece = Extent::decode(in);
      return item;
    }
    case ItemKind::Piece: {
      PieceItem item;
      item.piece = Extent::decode(in);
      const core::Bytes bytes = in.get_bytes(in.get_count(1));
      item.bytes.assign(bytes.begin(), bytes.end());
      if (item.bytes.size() != item.piece.length) in.fail();
      return item;
    }
  }
  in.fail();
  return TxnRangeItem{};
}

}  // namespace

std::vector<std::byte> LogRecord::encode(const core::StoreUuid& store, FileId file, std::uint64_t offset,
                                         std::uint64_t& checksum_out) const {
  std::vector<std::byte> out;
  core::ByteWriter writer(out);
  writer.put(kMagic);
  writer.put(std::uint32_t{0});
  writer.put(sequence);
  writer.put(previous_checksum);
  writer.put(static_cast<std::uint32_t>(items.size()));
  writer.put(std::uint32_t{0});
  writer.put(std::uint64_t{0});
  CHECK_EQ(out.size(), kHeaderBytes);
  for (const LogItem& item : items) std::visit(PutItem{writer}, item);
  writer.patch(4, static_cast<std::uint32_t>(out.size() - kHeaderBytes));
  checksum_out = record_checksum(store, file, RecordKind::Commit, offset, out);
  writer.patch(kChecksumAt, checksum_out);
  writer.pad_to(core::kPage);
  return out;
}

core::Result<DecodedRecord> decode_record(core::Bytes bytes, const core::StoreUuid& store, FileId file,
                                          std::uint64_t offset) {
  core::ByteReader header(bytes);
  if (header.get<std::uint32_t>() != kMagic)
    return core::fail(core::Errc::Corrupt, "commit record: no magic");
  const auto payload = header.get<std::uint32_t>();
  DecodedRecord decoded;
  decoded.record.sequence = header.get<std::uint64_t>();
  decoded.record.previous_checksum = header.get<std::uint64_t>();
  const auto count = header.get<std::uint32_t>();
  header.get<std::uint32_t>();
  const auto sum = header.get<std::uint64_t>();
  if (!header.ok() || payload > header.remaining() || count == 0 || count > kItemsMax) {
    return core::fail(core::Errc::Corrupt, "commit record: it ends early");
  }
  std::vector<std::byte> copy(bytes.begin(),
                              bytes.begin() + static_cast<std::ptrdiff_t>(LogRecord::kHeaderBytes + payload));
  std::memset(copy.data() + kChecksumAt, 0, 8);
  if (sum != record_checksum(store, file, RecordKind::Commit, offset, copy)) {
    return core::fail(core::Errc::Corrupt, "commit record: checksum differs");
  }
  decoded.bytes = core::round_up(LogRecord::kHeaderBytes + payload, core::kPage);
  if (decoded.bytes > bytes.size())
    return core::fail(core::Errc::Corrupt, "commit record: its last page is cut off");
  core::ByteReader reader(core::Bytes(copy).subspan(LogRecord::kHeaderBytes));
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) decoded.record.items.push_back(get_item(reader));
  if (!reader.ok() || reader.remaining() != 0) {
    return core::fail(core::Errc::Unsupported, "commit record: it verifies, and its items are unknown");
  }
  decoded.place =
      RecordPlace{.file = file, .offset = offset, .sequence = decoded.record.sequence, .checksum = sum};
  return decoded;
}

}  // namespace penstock::txn
