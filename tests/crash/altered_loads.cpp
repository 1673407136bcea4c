#include "tests/crash/altered_loads.hpp"

#include "txn/column/value_format.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/decode/json_decoder.hpp"
#include "txn/schema/ddl_parser.hpp"

namespace penstock::crash {
namespace {

using core::Task;

Task<void> make_there(txn::Store* store, BodyFormat format, FollowingLoad* load) {
  const txn::Load::MakeDecoding make =
      [format, limits = &store->limits(), table = load->began.table](
          txn::DecodeScratch& scratch) -> std::expected<txn::Load::Decoding, txn::LoadError> {
    const auto& schema = table->schema;
    auto mapping = txn::map_columns(*schema, {});
    CHECK(mapping.has_value());
    if (format == BodyFormat::Csv) {
      txn::CsvOptions options;
      options.block = limits->block;
      options.row_bytes_max = limits->row_bytes_max;
      return txn::Load::Decoding{std::make_unique<txn::CsvDecoder>(options, schema, *mapping, scratch), {}};
    }
    txn::JsonOptions options;
    options.block = limits->block;
    options.row_bytes_max = limits->row_bytes_max;
    auto json = std::make_unique<txn::JsonDecoder>(options, schema, *mapping, txn::MappingOptions{}, scratch);
    txn::Load::Follow follow =
        [decoder = json.get()](
            const txn::Table& now,
            std::vector<txn::ColumnAlias> aliases) -> std::expected<txn::Load::Switch, std::string> {
      TRY(auto next, txn::map_columns(*now.schema, {}));
      return [decoder, schema = now.schema, mapping = std::move(next), aliases = std::move(aliases)] {
        decoder->follow(schema, mapping, {}, aliases);
      };
    };
    return txn::Load::Decoding{std::move(json), std::move(follow)};
  };
  auto made = make(store->here().scratch());
  load->load = std::make_unique<txn::Load>(store->here(), load->began, std::move(made->decoder), 0.0,
                                           std::move(made->follow));
  load->load->allow_split(make);
  co_return;
}

Task<std::string> append_there(FollowingLoad* load, std::string text) {
  auto fed = co_await load->load->append(core::as_bytes(text));
  co_return fed ? "" : fed.error().message;
}

Task<std::string> end_there(FollowingLoad* load) {
  auto finished = co_await load->load->finish();
  if (!finished) co_await load->load->abort("finish failed");
  load->load.reset();
  co_return finished ? "" : finished.error().message;
}

Task<void> abandon_there(FollowingLoad* load) {
  co_await load->load->abort("the client went away");
  load->load.reset();
}

}  // namespace

Task<std::string> statement(txn::Store* store, std::string text) {
  auto parsed = txn::parse_statement(text);
  if (!parsed) co_return parsed.error().message;
  auto done = co_await store->execute(std::move(*parsed), "db");
  co_return done ? "" : done.error().message;
}

Task<std::string> begin_following(txn::Store* store, std::string label, bool two_phase, BodyFormat format,
                                  FollowingLoad* load) {
  auto began = co_await store->begin(
      {.database = "db", .table = "t", .label = std::move(label), .two_phase = two_phase});
  if (began.status != txn::BeginResult::Status::Began) co_return "cannot begin: " + began.message;
  load->began = began.load;
  co_await core::call_on(load->began.shard,
                         [store, format, load] { return make_there(store, format, load); });
  co_return "";
}

Task<std::string> send_more(FollowingLoad* load, std::string text) {
  co_return co_await core::call_on(
      load->began.shard, [load, t = std::move(text)]() mutable { return append_there(load, std::move(t)); });
}

Task<std::string> end_following(FollowingLoad* load) {
  co_return co_await core::call_on(load->began.shard, [load] { return end_there(load); });
}

Task<void> abandon(FollowingLoad* load) {
  co_await core::call_on(load->began.shard, [load] { return abandon_there(load); });
}

Task<std::optional<std::vector<std::string>>> read_rows(txn::Store* store) {
  auto scan = co_await store->scan("db", "t");
  if (!scan) co_return std::nullopt;
  std::vector<txn::ColumnId> ids;
  for (const txn::ColumnDef& column : (*scan)->table().schema->columns) ids.push_back(column.id);
  std::vector<std::string> rows;
  for (;;) {
    auto block = co_await (*scan)->next(ids);
    CHECK(block.has_value());
    if (!*block) break;
    for (std::uint32_t row = 0; row < (*block)->rows(); ++row) {
      std::string& text = rows.emplace_back();
      for (const txn::ColumnId id : ids) {
        if (id != ids.front()) text += '|';
        const txn::ColumnView* const view = (*block)->find(id);
        CHECK(view != nullptr);
        txn::append_cell(text, *view, row);
      }
    }
  }
  co_await store->close_scan(**scan);
  co_return rows;
}

}  // namespace penstock::crash
