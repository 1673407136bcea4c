// What a compressed body costs beside a plain one: taking it apart alone, and with decoding behind it. Bytes are those
// that come out, so that the times of one byte can be added up.
#include <benchmark/benchmark.h>
#include <bzlib.h>
#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <zstd.h>

#include <random>
#include <string>

#include "core/base/check.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/decode/inflate.hpp"

namespace penstock::txn {
namespace {

constexpr std::size_t kPiece = 64 * core::kKiB;

const std::string& rows_text() {
  static const std::string text = [] {
    std::mt19937_64 random(11);
    std::string out;
    while (out.size() < 16 * core::kMiB) {
      out += std::to_string(random() % 1'000'000'000) +
             "\t2024-03-01 10:" + std::to_string(10 + random() % 50) + ":" +
             std::to_string(10 + random() % 50) + "\t" + std::to_string(random() % 1000) +
             ".25\t/api/v1/items/" + std::to_string(random() % 5000) + "\thost-" +
             std::to_string(random() % 200) + ".example.net\n";
    }
    return out;
  }();
  return text;
}

std::string compressed(Compression compression) {
  const std::string& text = rows_text();
  std::string out(text.size() + text.size() / 8 + 4096, '\0');
  if (compression == Compression::Gzip) {
    static isal_zstream stream;
    static std::uint8_t level_buffer[ISAL_DEF_LVL1_DEFAULT];
    isal_deflate_init(&stream);
    stream.gzip_flag = IGZIP_GZIP;
    stream.level = 1;
    stream.level_buf = level_buffer;
    stream.level_buf_size = sizeof level_buffer;
    stream.end_of_stream = 1;
    stream.flush = NO_FLUSH;
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<std::uint32_t>(text.size());
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream.avail_out = static_cast<std::uint32_t>(out.size());
    CHECK_EQ(isal_deflate(&stream), COMP_OK);
    out.resize(stream.total_out);
  } else if (compression == Compression::Zstd) {
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
  } else if (compression == Compression::Lz4Frame) {
    out.resize(LZ4F_compressFrameBound(text.size(), nullptr));
    out.resize(LZ4F_compressFrame(out.data(), out.size(), text.data(), text.size(), nullptr));
  } else {
    auto size = static_cast<unsigned>(out.size());
    CHECK_EQ(BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(text.data()),
                                      static_cast<unsigned>(text.size()), 9, 0, 0),
             BZ_OK);
    out.resize(size);
  }
  return out;
}

std::shared_ptr<const TableSchema> rows_schema() {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  const Type types[] = {Type::of(TypeKind::BigInt), Type::date_time(0), Type::decimal(10, 2),
                        Type::varchar(64), Type::varchar(64)};
  for (const Type& type : types) {
    const auto id = static_cast<std::uint32_t>(schema->columns.size() + 1);
    schema->columns.push_back(ColumnDef{.id = ColumnId(id), .name = "c" + std::to_string(id), .type = type});
  }
  return schema;
}

void decode_all(CsvDecoder& decoder, BlockBuilder& builder, core::Bytes piece) {
  while (!piece.empty()) {
    const FeedResult fed = decoder.feed(piece, builder);
    piece = piece.subspan(fed.consumed);
    if (fed.state == FeedResult::State::BlockFull) builder.clear();
  }
}

void inflate(benchmark::State& state, bool decodes) {
  const auto compression = static_cast<Compression>(state.range(0));
  const std::string body = compression == Compression::None ? rows_text() : compressed(compression);
  const auto schema = rows_schema();
  DecodeScratch scratch;
  BlockBuilder builder(schema);
  std::uint64_t out_bytes = 0;
  for (auto _ : state) {
    CsvDecoder decoder({}, schema, *map_columns(*schema, {}), scratch);
    Inflater inflater(compression);
    for (std::size_t at = 0; at < body.size(); at += kPiece) {
      inflater.give(core::as_bytes(std::string_view(body).substr(at, kPiece)));
      for (;;) {
        const auto out = inflater.next();
        CHECK(out.has_value());
        if (out->empty()) break;
        out_bytes += out->size();
        if (decodes) decode_all(decoder, builder, *out);
      }
    }
    builder.clear();
  }
  CHECK_EQ(out_bytes, state.iterations() * rows_text().size());
  state.SetBytesProcessed(static_cast<std::int64_t>(out_bytes));
  state.SetLabel(std::string(compression_name(compression)));
}

void inflate_only(benchmark::State& state) { inflate(state, false); }
void inflate_and_decode(benchmark::State& state) { inflate(state, true); }

void every_compression(benchmark::internal::Benchmark* bench) {
  for (const Compression each :
       {Compression::None, Compression::Gzip, Compression::Lz4Frame, Compression::Zstd, Compression::Bzip2}) {
    bench->Arg(static_cast<int>(each));
  }
}
BENCHMARK(inflate_only)->Apply(every_compression);
BENCHMARK(inflate_and_decode)->Apply(every_compression);

}  // namespace
}  // namespace penstock::txn
