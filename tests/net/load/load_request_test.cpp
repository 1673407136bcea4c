#include "net/load/load_request.hpp"

#include <gtest/gtest.h>

#include "net/http/head_parser.hpp"
#include "net/load/table_rules.hpp"

namespace penstock::net {
namespace {

Request request_with(const std::string& headers) {
  const HeadLimits limits;
  HeadParser parser(limits);
  const std::string head =
      "PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n" + headers + "\r\n";
  std::size_t consumed = 0;
  EXPECT_EQ(parser.feed(core::as_bytes(head), consumed), HeadParser::State::Done) << headers;
  return parser.take();
}

LoadRequest parsed(const std::string& headers) {
  auto request = parse_load_request(request_with(headers), "db", "t");
  if (!request) ADD_FAILURE() << headers << request.error().message;
  return request ? std::move(*request) : LoadRequest{};
}

std::string error(const std::string& headers) {
  const auto request = parse_load_request(request_with(headers), "db", "t");
  return request ? "" : "[" + request.error().code + "]" + request.error().message;
}

TEST(LoadRequest, a_head_without_any_header_is_a_csv_load_with_doriss_defaults) {
  const LoadRequest request = parsed("");
  EXPECT_EQ(request.database, "db");
  EXPECT_EQ(request.table, "t");
  EXPECT_FALSE(request.json.has_value());
  EXPECT_EQ(request.csv.column_separator, "\t");
  EXPECT_EQ(request.csv.line_delimiter, "\n");
  EXPECT_FALSE(request.strict_mode);
  EXPECT_EQ(request.max_filter_ratio, 0);
  EXPECT_TRUE(request.partitions.empty());
  EXPECT_EQ(request.merge_type, MergeType::Append);
}

TEST(LoadRequest, of_several_headers_the_first_that_is_not_empty_counts) {
  EXPECT_EQ(parsed("label:\r\nLABEL: one\r\nlabel: two\r\n").label, "one");
  EXPECT_TRUE(parsed("strict_mode: \r\nstrict_mode: TRUE\r\nstrict_mode: nonsense\r\n").strict_mode);
  EXPECT_EQ(parsed("merge_type:\r\n").merge_type, MergeType::Append);
}

TEST(LoadRequest, merge_types_are_words_in_any_case) {
  EXPECT_EQ(parsed("merge_type: append\r\n").merge_type, MergeType::Append);
  EXPECT_EQ(parsed("merge_type: Delete\r\n").merge_type, MergeType::Delete);
  EXPECT_EQ(parsed("merge_type: merge\r\ndelete: k = 1\r\n").merge_type, MergeType::Merge);
  EXPECT_EQ(error("merge_type: other\r\n"), "[INVALID_ARGUMENT]Invalid merge type other");
  EXPECT_EQ(error("merge_type: MERGE\r\n"),
            "[INVALID_ARGUMENT]Excepted DELETE ON clause when merge type is MERGE.");
  EXPECT_EQ(error("merge_type: APPEND\r\ndelete: k = 1\r\n"),
            "[INVALID_ARGUMENT]Not support DELETE ON clause when merge type is not MERGE.");
  EXPECT_EQ(error("delete: k = 1\r\n"),
            "[INVALID_ARGUMENT]Not support DELETE ON clause when merge type is not MERGE.");
}

TEST(LoadRequest, headers_that_only_tune_doris_are_read_and_do_nothing) {
  EXPECT_EQ(
      error(
          "send_batch_parallelism: 4\r\nload_stream_per_node: -1\r\nexec_mem_limit: 2147483648\r\n"
          "load_mem_limit: 1\r\nload_to_single_tablet: x\r\nmemtable_on_sink_node: y\r\nenable_profile: z\r\n"
          "num_as_string: w\r\nfuzzy_parse: v\r\nsome-header-of-nobody: u\r\n"),
      "");
  EXPECT_EQ(error("send_batch_parallelism: a\r\n"),
            "[INVALID_ARGUMENT]send_batch_parallelism must be an integer, stoi");
  EXPECT_EQ(error("send_batch_parallelism: 1x\r\n"),
            "[INVALID_ARGUMENT]send_batch_parallelism must be an integer, stoi");
  EXPECT_EQ(error("send_batch_parallelism: 99999999999\r\n"),
            "[INVALID_ARGUMENT]send_batch_parallelism is out of range: 99999999999");
  EXPECT_EQ(error("load_stream_per_node: many\r\n"),
            "[INVALID_ARGUMENT]load_stream_per_node must be an integer, stoi");
  EXPECT_EQ(error("exec_mem_limit: 2GB\r\n"), "[INVALID_ARGUMENT]Invalid mem limit format, 2GB");
  EXPECT_EQ(error("load_mem_limit: -\r\n"), "[INVALID_ARGUMENT]Invalid mem limit format, -");
}

TEST(LoadRequest, timeout_is_a_number_of_seconds) {
  EXPECT_EQ(parsed("timeout: 600\r\n").timeout, std::chrono::seconds(600));
  EXPECT_EQ(error("timeout: soon\r\n"), "[INVALID_ARGUMENT]timeout must be an integer, stoi");
  EXPECT_EQ(error("timeout: 1.5\r\n"), "[INVALID_ARGUMENT]timeout must be an integer, stoi");
  EXPECT_EQ(error("timeout: 99999999999999999999\r\n"),
            "[INVALID_ARGUMENT]timeout is out of range: 99999999999999999999");
  EXPECT_EQ(error("timeout: 0\r\n"),
            "[INVALID_ARGUMENT]timeout: '0' is not a number of seconds from 1 to 259200");
  EXPECT_EQ(error("timeout: -5\r\n"),
            "[INVALID_ARGUMENT]timeout: '-5' is not a number of seconds from 1 to 259200");
}

TEST(LoadRequest, strict_mode_and_max_filter_ratio) {
  EXPECT_EQ(error("strict_mode: yes\r\n"), "[INVALID_ARGUMENT]Invalid strict mode format. Must be bool type");
  EXPECT_EQ(parsed("max_filter_ratio: 0.25\r\n").max_filter_ratio, 0.25);
  for (const char* text : {"x", "-1", "nan", ""})
    EXPECT_EQ(parsed("max_filter_ratio: " + std::string(text) + "\r\n").max_filter_ratio, 0) << text;
}

TEST(LoadRequest, formats_and_compressions_that_are_not_known_are_named) {
  EXPECT_EQ(error("format: txt\r\n").find("[DATA_FILE_TYPE_ERROR]unknown data format, format=txt"), 0U);
  EXPECT_EQ(error("format: parquet\r\n").find("[DATA_FILE_TYPE_ERROR]unknown data format, format=parquet"),
            0U);
  EXPECT_NE(error("compress_type: LZO\r\n").find("compress_type LZO is not supported"), std::string::npos);
  EXPECT_EQ(parsed("format: CSV_with_names\r\nskip_lines: 7\r\n").csv.skip_lines, 1U);
  EXPECT_EQ(error("skip_lines: -1\r\n"), "[INVALID_ARGUMENT]Invalid 'skip_lines': -1");
  EXPECT_EQ(error("enclose: ab\r\n"), "[INVALID_ARGUMENT]enclose must be single-char, actually is ab");
  EXPECT_EQ(error("escape: ab\r\n"), "[INVALID_ARGUMENT]escape must be single-char, actually is ab");
  EXPECT_EQ(error("column_separator: \\xg\r\n"), "[INVALID_ARGUMENT]Hex str format error");
}

TEST(LoadRequest, partitions_are_names_between_commas) {
  EXPECT_EQ(parsed("partitions: p1, `p 2` ,p1\r\n").partitions,
            (std::vector<std::string>{"p1", "p 2", "p1"}));
  EXPECT_EQ(error("partitions: p1,,p2\r\n"), "[INVALID_ARGUMENT]partitions: a name is missing");
  EXPECT_EQ(error("partitions: p\r\ntemporary_partitions: q\r\n"),
            "[INVALID_ARGUMENT]Can not specify both partitions and temporary partitions");
  EXPECT_EQ(
      error("temporary_partitions: q\r\n"),
      "[INVALID_ARGUMENT]temporary_partitions: q is not supported: penstock has no temporary partitions");
}

TEST(LoadRequest, partial_updates_and_group_commit_by_their_words) {
  EXPECT_TRUE(parsed("partial_columns: TRUE\r\n").is_partial);
  EXPECT_FALSE(parsed("partial_columns: yes\r\n").is_partial);
  EXPECT_FALSE(parsed("unique_key_update_mode: upsert\r\npartial_columns: true\r\n").is_partial);
  EXPECT_TRUE(parsed("unique_key_update_mode: UPDATE_FIXED_COLUMNS\r\n").is_partial);
  EXPECT_EQ(error("unique_key_update_mode: some\r\n"),
            "[INVALID_ARGUMENT]Invalid unique_key_partial_mode some, must be one of 'UPSERT', "
            "'UPDATE_FIXED_COLUMNS' or 'UPDATE_FLEXIBLE_COLUMNS'");
  EXPECT_EQ(
      error("partial_update_new_key_behavior: keep\r\n"),
      "[INVALID_ARGUMENT]Invalid partial_update_new_key_behavior keep, must be one of {'APPEND', 'ERROR'}");
  EXPECT_EQ(error("group_commit: some\r\n"),
            "[INVALID_ARGUMENT]group_commit can only be [async_mode, sync_mode, off_mode]");
  EXPECT_EQ(error("group_commit: off_mode\r\n"), "");
  EXPECT_FALSE(parsed("group_commit: off_mode\r\nlabel: l\r\n").group_commit);
  EXPECT_TRUE(parsed("Group_Commit: Sync_Mode\r\nlabel:\r\n").group_commit);
  EXPECT_TRUE(parsed("group_commit: async_mode\r\ntwo_phase_commit: TRUE\r\n").group_commit);
  EXPECT_EQ(error("group_commit: async_mode\r\nlabel: l\r\n"),
            "[INVALID_ARGUMENT]label and group_commit can't be set at the same time");
  for (const char* own : {"two_phase_commit: true\r\n", "partial_columns: true\r\n", "partitions: p\r\n",
                          "unique_key_update_mode: UPDATE_FLEXIBLE_COLUMNS\r\n"}) {
    EXPECT_FALSE(parsed("group_commit: async_mode\r\nlabel: l\r\n" + std::string(own)).group_commit) << own;
  }
}

TEST(LoadRequest, what_only_other_tables_can_do_is_refused_in_doriss_words) {
  auto schema = std::make_shared<txn::TableSchema>();
  schema->columns.push_back({.id = txn::ColumnId{1}, .name = "k", .is_key = true});
  schema->columns.push_back({.id = txn::ColumnId{2}, .name = "v"});
  txn::Table table;
  table.name = "t";
  table.schema = schema;
  const auto refusal = [&](const std::string& headers) {
    const auto fits = check_table_rules(parsed(headers), table);
    return fits ? "" : fits.error();
  };
  EXPECT_EQ(refusal("merge_type: APPEND\r\nnegative: false\r\n"), "");
  EXPECT_EQ(refusal("merge_type: DELETE\r\n"), "load by MERGE or DELETE is only supported in unique tables.");
  EXPECT_EQ(refusal("merge_type: MERGE\r\ndelete: v=1\r\n"),
            "load by MERGE or DELETE is only supported in unique tables.");
  EXPECT_EQ(refusal("partial_columns: true\r\n"), "Only unique key merge on write support partial update");
  EXPECT_EQ(refusal("function_column.sequence_col: v\r\n"), "There is no sequence column in the table t");
  EXPECT_EQ(refusal("negative: true\r\n"), "Column is not SUM AggregateType. column:v");
}

// ---- JSON -----------------------------------------------------------------------------------------------------------

TEST(JsonRequest, lines_are_objects_unless_something_else_is_said) {
  EXPECT_TRUE(parsed("format: json\r\n").json->by_line);
  EXPECT_FALSE(parsed("format: JSON\r\nread_json_by_line: false\r\n").json->by_line);
  EXPECT_FALSE(parsed("format: json\r\nstrip_outer_array: true\r\n").json->by_line);
  EXPECT_TRUE(parsed("format: json\r\nstrip_outer_array: True\r\n").json->strip_outer_array);
  EXPECT_FALSE(parsed("format: json\r\nstrip_outer_array: false\r\n").json->by_line);
  const LoadRequest both = parsed("format: json\r\nstrip_outer_array: true\r\nread_json_by_line: true\r\n");
  EXPECT_TRUE(both.json->by_line);
  EXPECT_TRUE(both.json->strip_outer_array);
  EXPECT_TRUE(parsed("format: json\r\nread_json_by_line:\r\nstrip_outer_array:\r\n").json->by_line);
}

TEST(JsonRequest, paths_are_parsed_and_kept_as_they_were_sent) {
  const LoadRequest request =
      parsed("format: json\r\njsonpaths: [\"$.a\", \"$.b[0].c\"]\r\njson_root: $.data\r\n");
  EXPECT_EQ(request.json->jsonpaths, "[\"$.a\", \"$.b[0].c\"]");
  EXPECT_EQ(request.json->paths.size(), 2U);
  EXPECT_TRUE(request.json->root.has_value());
  EXPECT_FALSE(parsed("format: json\r\njson_root: $\r\njsonpaths: []\r\n").json->root.has_value());
}

TEST(JsonRequest, paths_that_are_none_are_refused) {
  for (const char* text : {"$.a", "[1]", "{\"a\":1}", "[\"$.a\"", "[\"$.a[\"]", "[\"$.a\"] x"}) {
    const std::string message = error("format: json\r\njsonpaths: " + std::string(text) + "\r\n");
    EXPECT_EQ(message.find("[INVALID_ARGUMENT]Invalid json path"), 0U) << text << ": " << message;
  }
  EXPECT_EQ(error("format: json\r\njson_root: $.a[\r\n").find("[INVALID_ARGUMENT]Invalid json path"), 0U);
  EXPECT_EQ(error("jsonpaths: nonsense\r\n"), "");  // of no use to CSV
}

TEST(JsonRequest, becomes_the_decoders_options_with_the_stores_limits) {
  txn::StoreLimits limits;
  limits.row_bytes_max = 12345;
  const LoadRequest request = parsed("format: json\r\nstrip_outer_array: true\r\njson_root: $.x\r\n");
  const txn::JsonOptions options = json_options(*request.json, limits);
  EXPECT_TRUE(options.strip_outer_array);
  EXPECT_FALSE(options.by_line);
  EXPECT_TRUE(options.has_root);
  EXPECT_EQ(options.row_bytes_max, 12345U);
}

}  // namespace
}  // namespace penstock::net
