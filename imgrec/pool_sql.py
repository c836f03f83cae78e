"""What the statements of a live search are put together from."""

from __future__ import annotations

SEARCH = """
WITH imgrec_seed AS MATERIALIZED ({seed}),
{few}
imgrec_counted AS MATERIALIZED (
    SELECT ({served}) AS served,
        CASE WHEN EXISTS (SELECT FROM imgrec_seed) THEN ({eligible}) END AS eligible
),
imgrec_facts AS MATERIALIZED (
    SELECT *, CASE WHEN served = {label} THEN
        CASE WHEN eligible <= {exact_below} THEN 'exact' WHEN eligible IS NOT NULL THEN 'hnsw' END
        END AS way
    FROM imgrec_counted
)
SELECT facts.way, facts.eligible, facts.served, found.*, {columns}
FROM imgrec_facts AS facts LEFT JOIN ({found}) AS found ON true {joins}
ORDER BY found.distance, found.key
"""
FEW = "imgrec_few (keys) AS MATERIALIZED (SELECT ARRAY({few})),"
COUNTED = "SELECT cardinality(keys) FROM imgrec_few"
EITHER = "({exact}) UNION ALL ({nearby})"
EXACT = """
SELECT {item} AS key, imgrec_photo.vector <=> seed.vector AS distance, seed.photo AS seed_photo,
    imgrec_photo.owner_id AS photo, imgrec_photo.source_name, 0::bigint AS scanned
FROM imgrec_seed AS seed CROSS JOIN {photos}
WHERE (SELECT way FROM imgrec_facts) = 'exact' AND {eligible}
"""
# OFFSET 0: from the eligible rows on, by their keys, however tempting the whole table looks. All
# keys in one index scan, which is quicker than a look-up for each. coalesce: ANY needs an array.
EXACT_OF_FEW = """
SELECT one.key, one.vector <=> seed.vector AS distance, seed.photo AS seed_photo,
    one.photo, one.source_name, 0::bigint AS scanned
FROM imgrec_seed AS seed CROSS JOIN LATERAL (
    SELECT {item} AS key, imgrec_photo.vector, imgrec_photo.owner_id AS photo,
        imgrec_photo.source_name
    FROM {photos}
    WHERE {item} = ANY(coalesce((SELECT keys FROM imgrec_few)))
        AND imgrec_photo.version = {served} OFFSET 0
) AS one
WHERE (SELECT way FROM imgrec_facts) = 'exact'
"""
NEARBY = """
SELECT near.*, count(*) OVER () AS scanned
FROM imgrec_seed AS seed CROSS JOIN LATERAL (
    SELECT {item} AS key, imgrec_photo.vector <=> seed.vector AS distance, seed.photo AS seed_photo,
        imgrec_photo.owner_id AS photo, imgrec_photo.source_name
    FROM {photos}
    WHERE {eligible}
    ORDER BY imgrec_photo.vector <=> seed.vector LIMIT {most}
) AS near
"""
# + 0: PostgreSQL must not take what the index gives for sorted.
NEAREST = """
SELECT * FROM ({pairs}) AS best ORDER BY best.distance + 0, best.key LIMIT {take}
"""
BEST_PAIRS = """
SELECT DISTINCT ON (key) * FROM ({pairs}) AS pair ORDER BY key, distance, photo, seed_photo
"""
GROUPS = "LEFT JOIN ({told}) AS told (key, value) ON told.key = found.key"
VECTORS = "LEFT JOIN {vectors} AS own ON own.owner_id = found.photo"
# Keys of products somebody called variants of it, as text: two index look-ups a candidate.
VARIANTS = """
CROSS JOIN LATERAL (
    SELECT ARRAY(
        SELECT second FROM imgrec_duplicatepair
        WHERE space = ANY({labels}) AND first = found.key::text AND decision = 'variant'
        UNION ALL
        SELECT first FROM imgrec_duplicatepair
        WHERE space = ANY({labels}) AND second = found.key::text AND decision = 'variant'
    ) AS keys
) AS variants
"""
ELIGIBLE = "imgrec_photo.version = {served} AND {item} IN ({rows})"
BY_INDEX = "(SELECT way FROM imgrec_facts) = 'hnsw' AND "
KEYS_BY_INDEX = """
WITH imgrec_seed AS MATERIALIZED ({seed})
SELECT pair.key FROM ({pairs}) AS pair
"""
# Which products come before one, by distance and then by key.
NEARER = """
WITH imgrec_seed AS MATERIALIZED ({seed}), imgrec_facts AS (SELECT 'exact' AS way)
SELECT count(*) FROM ({pairs}) AS pair WHERE (pair.distance, pair.key) < ({distance}, {key})
"""
