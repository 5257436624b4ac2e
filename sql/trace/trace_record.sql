CREATE FUNCTION trace_record_views() RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
SELECT $script$
$script$
$function$;
COMMENT ON FUNCTION trace_record_views() IS 'script that makes the views of records and summaries of a trace store';
