#include "tools/bench/command.hpp"

#include <cstdio>
#include <map>
#include <string>

#include "tools/bench/row_ring.hpp"
#include "tools/bench/row_shapes.hpp"
#include "tools/bench/write_rows.hpp"

namespace penstock::tools {
namespace {

const std::map<std::string, Shape> kShapes = {
    {"log", Shape::Log}, {"lineitem", Shape::LineItem}, {"wide", Shape::Wide}, {"metric", Shape::Metric}};
const std::map<std::string, RowFormat> kFormats = {{"csv", RowFormat::Csv}, {"json", RowFormat::Json}};

// Sizes as people write them: 100M, 1.5G; K is 1000 and KiB is 1024.
CLI::Option* add_size(CLI::App* app, const char* name, std::uint64_t& value, const std::string& text) {
  return app->add_option(name, value, text)->transform(CLI::AsSizeValue(false));
}

CLI::Option* add_shape(CLI::App* app, Shape& shape) {
  return app
      ->add_option(
          "--shape", shape,
          "log (12 columns, 155 B a row), lineitem (TPC-H's, 16 columns, 134 B), wide (64 columns as in "
          "ClickBench's hits, 439 B), metric (5 columns, 38 B)")
      ->transform(CLI::CheckedTransformer(kShapes).description("{log,lineitem,wide,metric}"))
      ->default_str("log");
}

CLI::Option* add_format(CLI::App* app, RowFormat& format) {
  return app->add_option("--format", format, "csv: tabs and newlines; json: an object a line")
      ->transform(CLI::CheckedTransformer(kFormats).description("{csv,json}"))
      ->default_str("csv");
}

}  // namespace

struct BenchCommand::Flags {
  RowsWanted rows{.bytes = 100'000'000, .distinct_bytes = kRingBytes};
  Shape schema_shape = Shape::Log;
  std::string schema_table = "demo.bench";
  unsigned schema_buckets = 4;
  bool schema_json = false;
};

BenchCommand::BenchCommand(CLI::App& app)
    : bench_(app.add_subcommand("bench",
                                "Rows to measure with, a load generator, and a sink to measure it by.")),
      flags_(std::make_unique<Flags>()) {
  bench_->require_subcommand(1);
  add_rows();
  add_schema();
}

BenchCommand::~BenchCommand() = default;

int BenchCommand::run() { return chosen_(); }

void BenchCommand::add_rows() {
  RowsWanted& wanted = flags_->rows;
  CLI::App* const rows =
      bench_->add_subcommand("rows",
                             "Write rows of a shape. The same flags give the same bytes everywhere. A line "
                             "of JSON on standard error says how "
                             "many rows and bytes, and count, sum and xor of the key, which is the first "
                             "column and counts up from --first-key. "
                             "Behind --distinct bytes of rows the same ones come again under new keys.\n\n"
                             "  penstock bench rows --shape log --bytes 1G -o log.tsv\n"
                             "  penstock bench rows --shape wide --format json --rows 1000 | head -1");
  add_shape(rows, wanted.shape);
  add_format(rows, wanted.format);
  rows->add_flag("--gzip", wanted.gzip, "As gzip members of 1 MiB of rows each");
  auto* const bytes =
      add_size(rows, "--bytes", wanted.bytes, "Whole rows up to so many bytes, before compression (100M)");
  rows->add_option("--rows", wanted.rows, "So many rows")->check(CLI::PositiveNumber)->excludes(bytes);
  rows->add_option("--seed", wanted.seed, "Other seeds give other rows (1)");
  rows->add_option("--first-key", wanted.first_key, "The first row's key: ten digits (1000000000)")
      ->check(CLI::Range(kFirstKey, kEndKey - 1));
  add_size(rows, "--distinct", wanted.distinct_bytes,
           "How many bytes of rows come before the first comes again (64MiB)");
  rows->add_option("-o,--output", wanted.file, "Into this file, instead of standard output");
  rows->callback([this] { chosen_ = [this] { return write_rows(flags_->rows); }; });
}

void BenchCommand::add_schema() {
  CLI::App* const schema = bench_->add_subcommand("schema", "Print the CREATE TABLE of a shape.");
  add_shape(schema, flags_->schema_shape);
  schema->add_option("--table", flags_->schema_table, "Its name, as db.table (demo.bench)");
  schema->add_option("--buckets", flags_->schema_buckets, "BUCKETS of the table (4)")
      ->check(CLI::Range(1, 10000));
  schema->add_flag("--json", flags_->schema_json, "Names and types of the columns as JSON instead");
  schema->callback([this] {
    chosen_ = [this] {
      const std::string text = flags_->schema_json ? columns_json(flags_->schema_shape) + "\n"
                                                   : create_table(flags_->schema_shape, flags_->schema_table,
                                                                  flags_->schema_buckets);
      std::fputs(text.c_str(), stdout);
      return 0;
    };
  });
}

}  // namespace penstock::tools
