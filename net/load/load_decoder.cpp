#include "net/load/load_decoder.hpp"

#include <fmt/format.h>

#include <utility>

#include "net/load/table_rules.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/decode/json_decoder.hpp"
#include "txn/decode/text_to_value.hpp"
#include "txn/expression/deriving_decoder.hpp"
#include "txn/expression/load_shape.hpp"
#include "txn/expression/partitioned_decoder.hpp"

namespace penstock::net {
namespace {

txn::CellRules cell_rules(const LoadRequest& request) {
  txn::CellRules rules;
  rules.strict = request.strict_mode;
  rules.zone = request.zone;
  return rules;
}

txn::CsvOptions csv_options(const LoadRequest& request, const txn::StoreLimits& limits) {
  txn::CsvOptions options;
  request.csv.apply_to(options);
  options.cells = cell_rules(request);
  options.block = limits.block;
  options.row_bytes_max = limits.row_bytes_max;
  options.rejects = limits.rejects;
  return options;
}

// What Doris's front end finds when it plans the load.
std::unexpected<txn::LoadError> analysis_error(std::string_view why) {
  return std::unexpected(
      txn::LoadError{"ANALYSIS_ERROR", fmt::format("errCode = 2, detailMessage = {}", why)});
}

std::unexpected<txn::LoadError> refuse(std::string why) {
  return std::unexpected(txn::LoadError{"INVALID_ARGUMENT", std::move(why)});
}

// Everything about a load that depends on the table's columns.
struct Plan {
  std::unique_ptr<txn::PartitionFilter> filter;
  txn::LoadShape shape;
  txn::MappingOptions mapping_options;
  txn::ColumnMapping mapping;
};

// `local_micros`: of the load's begin, in its time zone. (On the heap: parts of it view others.)
std::expected<std::unique_ptr<Plan>, txn::LoadError> make_plan(const LoadRequest& request,
                                                               const txn::Table& table,
                                                               std::int64_t local_micros) {
  auto plan = std::make_unique<Plan>();
  auto filter = txn::PartitionFilter::make(table, request.partitions);
  if (!filter) return analysis_error(filter.error());
  plan->filter = std::move(*filter);
  auto shape =
      txn::shape_load(table.schema, {.columns = request.columns,
                                     .where = request.where,
                                     .expressions = {.now_micros = local_micros, .zone = request.zone}});
  if (!shape) return refuse(shape.error());
  plan->shape = std::move(*shape);
  plan->mapping_options = {.columns = plan->shape.columns,
                           .hidden_columns = request.hidden_columns,
                           .load_time_micros = local_micros,
                           .zone = request.zone,
                           .json_columns = plan->shape.json_columns};
  auto mapping = txn::map_columns(*plan->shape.schema, plan->mapping_options);
  if (!mapping) return refuse(mapping.error());
  plan->mapping = std::move(*mapping);
  return plan;
}

// The decoders of a load that follows its table.
struct Followers {
  txn::JsonDecoder* json = nullptr;
  txn::DerivingDecoder* deriving = nullptr;
  txn::PartitionedDecoder* partitioned = nullptr;

  bool can_follow(const Plan& plan) const {
    return (deriving != nullptr) == (plan.shape.derivation != nullptr) &&
           (partitioned != nullptr) == (plan.filter != nullptr);
  }
  void follow(Plan& plan, const std::vector<txn::ColumnAlias>& aliases) const {
    json->follow(plan.shape.schema, std::move(plan.mapping), plan.mapping_options, aliases);
    if (deriving != nullptr) deriving->follow(std::move(plan.shape.derivation));
    if (partitioned != nullptr) partitioned->follow(std::move(plan.filter));
  }
};

}  // namespace

std::expected<LoadDecoder, txn::LoadError> make_load_decoder(const LoadRequest& request,
                                                             const txn::StoreLimits& limits,
                                                             const txn::Table& table, std::int64_t now_micros,
                                                             txn::DecodeScratch& scratch) {
  if (auto fits = check_table_rules(request, table); !fits) return analysis_error(fits.error());
  const std::int64_t local_micros = request.zone.micros_to_local(now_micros);
  TRY(const std::unique_ptr<Plan> plan, make_plan(request, table, local_micros));
  LoadDecoder made;
  Followers followers;
  if (request.json) {
    txn::JsonOptions options = json_options(*request.json, limits);
    options.line_delimiter = request.csv.line_delimiter;
    options.cells = cell_rules(request);
    const bool names_columns = options.jsonpaths.empty() && txn::trim_blanks(request.columns).empty();
    auto json = std::make_unique<txn::JsonDecoder>(std::move(options), plan->shape.schema,
                                                   std::move(plan->mapping), plan->mapping_options, scratch);
    if (names_columns) followers.json = json.get();
    made.decoder = std::move(json);
  } else {
    made.decoder = std::make_unique<txn::CsvDecoder>(csv_options(request, limits), plan->shape.schema,
                                                     std::move(plan->mapping), scratch);
  }
  if (plan->shape.derivation != nullptr) {
    auto deriving = std::make_unique<txn::DerivingDecoder>(
        std::move(made.decoder), std::move(plan->shape.derivation),
        txn::DerivingDecoder::Options{
            .cells = cell_rules(request), .block = limits.block, .rejects = limits.rejects},
        scratch);
    followers.deriving = deriving.get();
    made.decoder = std::move(deriving);
  }
  if (plan->filter != nullptr) {
    auto partitioned = std::make_unique<txn::PartitionedDecoder>(std::move(made.decoder),
                                                                 std::move(plan->filter), limits.rejects);
    followers.partitioned = partitioned.get();
    made.decoder = std::move(partitioned);
  }
  if (followers.json != nullptr) {
    made.follow =
        [followers, &request, local_micros](
            const txn::Table& now,
            std::vector<txn::ColumnAlias> aliases) -> std::expected<txn::Load::Switch, std::string> {
      auto next = make_plan(request, now, local_micros);
      if (!next) return std::unexpected(next.error().message);
      if (!followers.can_follow(**next)) return std::unexpected("the partitions of the table changed");
      return [followers, plan = std::shared_ptr<Plan>(std::move(*next)), aliases = std::move(aliases)] {
        followers.follow(*plan, aliases);
      };
    };
  }
  return made;
}

}  // namespace penstock::net
