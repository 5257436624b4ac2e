CREATE FUNCTION grafana_views() RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
SELECT $script$
$script$
$function$;
COMMENT ON FUNCTION grafana_views() IS 'script that makes the views of a trace store for Grafana';
