package penstock;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.doris.flink.cfg.DorisExecutionOptions;
import org.apache.doris.flink.cfg.DorisOptions;
import org.apache.doris.flink.cfg.DorisReadOptions;
import org.apache.doris.flink.sink.DorisSink;
import org.apache.doris.flink.sink.writer.serializer.DorisRecordSerializer;
import org.apache.doris.flink.sink.writer.serializer.JsonDebeziumSchemaSerializer;
import org.apache.doris.flink.sink.writer.serializer.RowDataSerializer;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;

/**
 * One attempt at the job: rows from a source whose place is in the checkpoint, through the stock sink with two-phase
 * commit. It goes on from the newest checkpoint in --checkpoints, if there is one.
 */
public final class Job {
  private Job() {}

  public static void main(String[] arguments) throws Exception {
    Map<String, String> given = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      given.put(arguments[i].replaceFirst("^--", ""), arguments[i + 1]);
    }
    Path checkpoints = Path.of(given.get("checkpoints"));
    int parallelism = Integer.parseInt(given.get("parallelism"));

    Configuration conf = new Configuration();  // names that Flink 1.18 and 1.20 both know
    conf.setString("execution.checkpointing.interval", "1s");
    conf.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    conf.setString("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    conf.setString("state.checkpoints.dir", checkpoints.toUri().toString());
    conf.setString("state.checkpoint-storage", "filesystem");
    conf.setString("state.checkpoints.num-retained", "3");
    conf.setString("execution.checkpointing.tolerable-failed-checkpoints", "1000000");
    conf.setString("restart-strategy", "fixed-delay");
    conf.setString("restart-strategy.fixed-delay.attempts", "1000000");
    conf.setString("restart-strategy.fixed-delay.delay", "1s");
    Optional<Path> newest = newestCheckpoint(checkpoints);
    if (newest.isPresent()) {
      conf.setString("execution.savepoint.path", newest.get().toUri().toString());
    }
    System.out.println("starting from " + newest.map(Path::toString).orElse("nothing"));

    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(conf);
    env.setParallelism(parallelism);
    long rows = Long.parseLong(given.get("rows"));
    Rows generator = new Rows(rows / parallelism, Long.parseLong(given.get("rate")) / parallelism, given.get("finish"));
    DataGeneratorSource<RowData> source =
        new DataGeneratorSource<>(generator, rows, InternalTypeInfo.of(Rows.TYPE.getLogicalType()));
    DataStream<RowData> stream = env.fromSource(source, WatermarkStrategy.noWatermarks(), "rows").uid("rows");
    if (is(given, "sql")) {
      runSql(env, stream, given);
    } else {
      if (is(given, "debezium")) {
        stream.flatMap(new Changes(rows / parallelism, is(given, "alter"))).uid("debezium").sinkTo(sink(given, debeziumSerializer(given))).uid("doris").name("doris");
      } else {
        stream.sinkTo(sink(given, rowSerializer(given))).uid("doris").name("doris");
      }
      env.execute("penstock");
    }
    System.out.println("finished");
    System.exit(0);
  }

  private static boolean is(Map<String, String> given, String name) {
    return Boolean.parseBoolean(given.getOrDefault(name, "false"));
  }

  /** The same rows through the sink as SQL knows it. */
  private static void runSql(StreamExecutionEnvironment env, DataStream<RowData> stream, Map<String, String> given) throws Exception {
    StringBuilder with = new StringBuilder();
    Map<String, String> options = new LinkedHashMap<>();
    options.put("connector", "doris");
    options.put("fenodes", given.get("server"));
    options.put("table.identifier", given.get("table"));
    options.put("username", "root");
    options.put("password", "");
    options.put("sink.label-prefix", given.get("label-prefix"));
    options.put("sink.enable-2pc", "true");
    options.put("sink.enable-delete", given.getOrDefault("delete", "false"));
    loadProperties(given).forEach((name, value) -> options.put("sink.properties." + name, value.toString()));
    options.forEach((name, value) -> with.append(with.isEmpty() ? "" : ", ").append("'" + name + "' = '" + value + "'"));

    StreamTableEnvironment tables = StreamTableEnvironment.create(env);
    tables.createTemporaryView("made", stream);
    tables.executeSql(
        "CREATE TABLE sink (id BIGINT, k INT, amount DECIMAL(18, 4), note STRING, ts TIMESTAMP(3)) WITH (" + with + ")");
    tables.executeSql("INSERT INTO sink SELECT id, k, amount, note, ts FROM made").await();
  }

  private static <T> DorisSink<T> sink(Map<String, String> given, DorisRecordSerializer<T> serializer) {
    return DorisSink.<T>builder()
        .setDorisOptions(options(given))
        .setDorisReadOptions(DorisReadOptions.builder().build())
        .setDorisExecutionOptions(executionOptions(given))
        .setSerializer(serializer)
        .build();
  }

  private static DorisOptions options(Map<String, String> given) {
    DorisOptions.Builder options =
        DorisOptions.builder().setFenodes(given.get("server")).setUsername("root").setPassword("");
    return is(given, "multi") ? options.setTableIdentifier("").build() : options.setTableIdentifier(given.get("table")).build();
  }

  private static DorisExecutionOptions executionOptions(Map<String, String> given) {
    DorisExecutionOptions.Builder execution = DorisExecutionOptions.builder()
                                                  .setStreamLoadProp(loadProperties(given))
                                                  .setDeletable(is(given, "delete"))
                                                  .setLabelPrefix(given.get("label-prefix"));
    return is(given, "batch") ? execution.setBatchMode(true).setBufferFlushIntervalMs(1000).build() : execution.enable2PC().build();
  }

  private static RowDataSerializer rowSerializer(Map<String, String> given) {
    RowDataSerializer.Builder rows = RowDataSerializer.builder()
                                         .setFieldNames(Rows.NAMES)
                                         .setFieldType(Rows.TYPES)
                                         .setType(given.get("format"))
                                         .enableDelete(is(given, "delete"));
    return given.get("format").equals("json") ? rows.build() : rows.setFieldDelimiter("\u0001").build();
  }

  private static JsonDebeziumSchemaSerializer debeziumSerializer(Map<String, String> given) {
    JsonDebeziumSchemaSerializer.Builder builder = JsonDebeziumSchemaSerializer.builder()
                                                       .setDorisOptions(options(given))
                                                       .setNewSchemaChange(true)
                                                       .setExecutionOptions(executionOptions(given));
    return is(given, "multi") ? builder.setTableMapping(Map.of("made.rows", given.get("table"))).build() : builder.build();
  }

  private static Properties loadProperties(Map<String, String> given) {
    Properties load = new Properties();
    load.setProperty("format", given.get("format"));
    if (given.get("format").equals("json")) {
      load.setProperty("read_json_by_line", "true");
    } else {
      load.setProperty("column_separator", "\\x01");
      load.setProperty("line_delimiter", "\\x02");
    }
    if (is(given, "gz")) {
      load.setProperty("compress_type", "gz");
    }
    return load;
  }

  /** The complete checkpoint with the highest number, over all attempts: a restored job counts on from there. */
  private static Optional<Path> newestCheckpoint(Path folder) throws Exception {
    if (!Files.isDirectory(folder)) {
      return Optional.empty();
    }
    try (Stream<Path> all = Files.find(folder, 3, (path, attributes) -> path.endsWith("_metadata"))) {
      List<Path> complete = all.map(Path::getParent).filter(path -> path.getFileName().toString().startsWith("chk-")).toList();
      return complete.stream().max(Comparator.comparingLong(Job::number).thenComparingLong(path -> path.toFile().lastModified()));
    }
  }

  private static long number(Path checkpoint) {
    return Long.parseLong(checkpoint.getFileName().toString().substring("chk-".length()));
  }
}
