#include "tools/bench/command.hpp"

#include <cstdio>
#include <map>
#include <string>

#include "tools/bench/row_ring.hpp"
#include "tools/bench/row_shapes.hpp"
#include "tools/bench/run_bench.hpp"
#include "tools/bench/sink.hpp"
#include "tools/bench/write_rows.hpp"

namespace penstock::tools {
namespace {

const std::map<std::string, Shape> kShapes = {
    {"log", Shape::Log}, {"lineitem", Shape::LineItem}, {"wide", Shape::Wide}, {"metric", Shape::Metric}};
const std::map<std::string, LoadMode> kModes = {
    {"plain", LoadMode::Plain}, {"2pc", LoadMode::TwoPhase}, {"group", LoadMode::Group}};
const std::map<std::string, RowFormat> kFormats = {{"csv", RowFormat::Csv}, {"json", RowFormat::Json}};

// Sizes as people write them: 100M, 1.5G; K is 1000 and KiB is 1024.
CLI::Option* add_size(CLI::App* app, const char* name, std::uint64_t& value, const std::string& text) {
  return app->add_option(name, value, text)->transform(CLI::AsSizeValue(true));
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
  RunWanted run;
  std::string url;
  std::string table = "demo.bench";
  bool no_check = false;
  SinkWanted sink;
};

BenchCommand::BenchCommand(CLI::App& app)
    : bench_(app.add_subcommand("bench",
                                "Rows to measure with, a load generator, and a sink to measure it by.")),
      flags_(std::make_unique<Flags>()) {
  bench_->require_subcommand(1);
  add_rows();
  add_schema();
  add_run();
  add_sink();
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

void BenchCommand::add_run() {
  RunWanted& wanted = flags_->run;
  CLI::App* const run = bench_->add_subcommand(
      "run",
      "Load a server over real sockets and say how fast rows get durable and visible.\n\n"
      "With --rate each row has an intended time, whatever the server does, and its latency counts from "
      "there: waiting in "
      "the client is the server's latency too. Without it streams go as fast as the server lets them. All "
      "loads' rows are "
      "compared with a scan at the end by count, sum and xor of their keys; where they differ there are no "
      "figures, and the "
      "exit status is 1.\n\n"
      "  penstock bench run --create --table demo.log --bytes 1G                  # one endless chunked "
      "stream\n"
      "  penstock bench run --create --table demo.log --streams 20 --rate 100k --mode 2pc --checkpoint 5 "
      "--seconds 60\n"
      "  penstock bench run --create --table demo.log --streams 16 --load-bytes 10K --seconds 10\n"
      "  penstock bench sink & penstock bench run --url http://127.0.0.1:8041 --no-check --bytes 10G   # its "
      "own ceiling");
  run->add_option("--url", flags_->url, "The server (http://127.0.0.1:8040)");
  auto* const host = run->add_option("--host", wanted.target.host, "The same in two parts: its host");
  auto* const port = run->add_option("--port", wanted.target.port, "and its port");
  run->get_option("--url")->excludes(host)->excludes(port);
  run->add_option("--user", wanted.target.user, "Who loads and scans (root)");
  run->add_option("--password", wanted.target.password, "Its password (none)");
  run->add_option("--table", flags_->table, "Into this table, as db.table (demo.bench)");
  run->add_flag("--create", wanted.create,
                "Make the database and the table of the shape where they are missing");
  run->add_option("--buckets", wanted.buckets, "BUCKETS of a table that is made (4)")
      ->check(CLI::Range(1, 10000));
  add_shape(run, wanted.shape);
  add_format(run, wanted.format);
  run->add_flag(
      "--gzip", wanted.gzip,
      "Bodies of gzip members, compressed before the run. A member that comes round again has its old keys");
  run->add_option("--streams", wanted.streams, "Connections that load at the same time (1)")
      ->check(CLI::Range(1, 20000));
  run->add_option("--mode", wanted.mode,
                  "plain: a load is visible when it is answered. 2pc: loads are precommitted, and committed "
                  "all together at "
                  "each checkpoint (without one: each when it is answered), as Flink does. group: "
                  "group_commit, no labels")
      ->transform(CLI::CheckedTransformer(kModes).description("{plain,2pc,group}"))
      ->default_str("plain");
  auto* const rows =
      run->add_option("--load-rows", wanted.load_rows, "Rows of a load")->check(CLI::PositiveNumber);
  add_size(run, "--load-bytes", wanted.load_bytes,
           "The same by bytes of rows. With neither a load is endless")
      ->excludes(rows);
  run->add_option(
         "--checkpoint", wanted.checkpoint_seconds,
         "End all open loads every so many seconds and begin new ones; the next one waits for the last")
      ->check(CLI::Range(0.01, 60.0));
  run->add_option("--rate", wanted.rate,
                  "Rows a second of all streams together (100k, 1M). 0: as fast as it goes")
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, double>{{"k", 1e3}, {"m", 1e6}},
                                        CLI::AsNumberWithUnit::CASE_INSENSITIVE));
  run->add_option("--seconds", wanted.seconds, "How long rows are made")->check(CLI::NonNegativeNumber);
  add_size(run, "--bytes", wanted.bytes,
           "How many bytes of rows, before compression; with --seconds: whichever is first");
  add_run_figures(run);
  run->callback([this] {
    chosen_ = [this] {
      RunWanted& made = flags_->run;
      made.check = !flags_->no_check;
      auto good =
          flags_->url.empty() ? std::expected<void, std::string>() : set_url(made.target, flags_->url);
      if (good) good = set_table(made.target, flags_->table);
      if (good) return run_bench(made);
      std::fprintf(stderr, "penstock bench run: %s\n", good.error().c_str());
      return 1;
    };
  });
}

void BenchCommand::add_run_figures(CLI::App* run) {
  RunWanted& wanted = flags_->run;
  run->add_option("--server-pid", wanted.server_pid, "Also say the server's CPU time, memory and writes");
  run->add_option("--data-dir", wanted.data_dir, "Also say what the server's data folder grew by");
  run->add_option("--json", wanted.json_file,
                  "All figures into this file; -: on standard output, instead of the table");
  run->add_option("--plot", wanted.plot_file, "Throughput and freshness over time into this file, as SVG");
  run->add_flag("-q,--quiet", wanted.quiet, "No line each second");
  run->add_option("--probe-ms", wanted.probe_ms,
                  "How often count(*) is asked, to see rows when they can be seen (20); 0: not at all")
      ->check(CLI::Range(0.0, 3.6e6));
  run->add_flag("--no-check", flags_->no_check,
                "No scan and no prober: for a server that has no _scan, as a sink");
  add_size(run, "--block", wanted.block_bytes, "Bytes of rows that go into one chunk at most (256KiB)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{64} << 20));
  run->add_option("--flush-ms", wanted.flush_ms,
                  "With --rate: rows wait up to so long for others to go with (10)")
      ->check(CLI::Range(0.1, 60000.0));
  run->add_option("--label-prefix", wanted.label_prefix,
                  "Labels are PREFIX-stream-number (bench-time); an empty one: none")
      ->each([&wanted](const std::string&) { wanted.has_label_prefix = true; });
  run->add_option("--patience", wanted.patience_seconds,
                  "Give up when nothing moved for so many seconds (120)")
      ->check(CLI::PositiveNumber);
  run->add_option("--seed", wanted.seed, "Other seeds give other rows (1)");
  run->add_option("--first-key", wanted.first_key, "The first row's key: ten digits (1000000000)")
      ->check(CLI::Range(kFirstKey, kEndKey - 1));
  add_size(run, "--distinct", wanted.distinct_bytes,
           "How many bytes of rows come before the first comes again (64MiB)");
}

void BenchCommand::add_sink() {
  CLI::App* const sink =
      bench_->add_subcommand("sink",
                             "A server that takes loads, answers Success, and keeps nothing: `bench run "
                             "--no-check` against it shows how fast the "
                             "generator is by itself. SIGTERM ends it.");
  sink->add_option("--listen", flags_->sink.listen, "Where: 127.0.0.1 and a port (127.0.0.1:8041)");
  sink->add_flag(
      "--copy", flags_->sink.copy,
      "Bring the bytes into the process, as a server must; otherwise the kernel drops them unread");
  sink->callback([this] { chosen_ = [this] { return run_sink(flags_->sink); }; });
}

}  // namespace penstock::tools
