CREATE FUNCTION find_traces_indexes() RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
SELECT $script$
$script$
$function$;
COMMENT ON FUNCTION find_traces_indexes() IS 'script that makes the indexes of a trace store';
