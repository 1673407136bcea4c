"""A Spark driver that is told what to do: one JSON object a line on standard input, one answer a line on standard output that
begins with `answer `. ./run starts it with the Python that has pyspark, and makes the same rows by itself to compare.
"""

import json
import sys

from pyspark.sql import SparkSession

# Row `id`, in Spark's own words. ./run says the same in Python's (expected_line).
NOTES = "array('plain', '', 'tab\\tin', 'quote\"s\\'', 'back\\\\slash', 'äö 日本 🙂', ',;|', '{\"a\":1}')"
ROW = ["id", "cast({attempt} as int) as attempt", "if(id % 11 = 0, null, cast(pmod(id * 7919, 1000003) - 500000 as int)) as k",
       "cast(concat(if(id % 2 = 1, '-', ''), id * 31 + 1, '.', lpad(id % 10000, 4, '0')) as decimal(18, 4)) as amount",
       "if(id % 17 = 0, null, cast(concat('1234567890123456789', lpad(id, 9, '0'), '.0123456789') as decimal(38, 10))) as huge",
       "date_add(date'2000-01-01', cast(id % 9000 as int)) as day", "timestamp_millis(1704067200000 + id * 977) as at",
       f"if(id % 13 = 0, null, concat(id, element_at({NOTES}, cast(id % 8 as int) + 1))) as note", "id % 3 = 0 as flag",
       "cast(id + 0.5D as double) as half"]


def write(spark, asked):
    frame = spark.range(0, asked["rows"], 1, asked["partitions"]).selectExpr(*(part.replace("{attempt}", str(asked["attempt"])) for part in ROW))
    frame.write.format("doris").mode("append").options(**asked["options"]).save()


def main():
    spark = (SparkSession.builder.master(sys.argv[1]).appName("penstock").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
             .config("spark.task.maxFailures", "1").config("spark.jars", sys.argv[2]).getOrCreate())
    spark.sparkContext.setLogLevel("WARN")
    print("answer ready", flush=True)
    for line in sys.stdin:
        try:
            write(spark, json.loads(line))
            print("answer done", flush=True)
        except Exception as error:  # of the job: told, and the next one may come
            print("answer failed " + json.dumps(str(error)[:2000]), flush=True)
    spark.stop()


main()
