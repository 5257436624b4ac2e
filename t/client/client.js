// What a user's program does: OpenTelemetry's SDK makes spans, its serializer writes them as
// OTLP/JSON, and pg hands that to the database, in one statement per batch.
//
//     NODE_PATH=.../node_modules node client.js      (the connection: PGHOST, PGPORT, ...)
//
// Three services take an order: shop calls bank, which fails, and stock.  Prints, as JSON, what
// the SDK says of the spans that it made, and the headers that it injected.
'use strict';

const { context, propagation, trace, SpanKind, SpanStatusCode, ROOT_CONTEXT } = require('@opentelemetry/api');
const { W3CTraceContextPropagator, W3CBaggagePropagator, CompositePropagator } = require('@opentelemetry/core');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { JsonTraceSerializer } = require('@opentelemetry/otlp-transformer');
const { Client } = require('pg');

const db = new Client();
const made = [];
const headers = [];

// The exporter: these few lines are all that it takes.
const exporter = {
	export(spans, done) {
		const payload = Buffer.from(JsonTraceSerializer.serializeRequest(spans)).toString();

		made.push(...spans);
		db.query('INSERT INTO payloads VALUES ($1)', [payload]);
		db.query("SELECT * FROM ingest_otlp('traces', $1)", [payload])
			.then(() => done({ code: 0 }), (error) => done({ code: 1, error }));
	},
	shutdown: () => Promise.resolve(),
};

function service(name) {
	return new BasicTracerProvider({
		resource: resourceFromAttributes({ 'service.name': name, 'cloud.region': name === 'stock' ? 'eu-2' : 'eu-1', 'process.pid': 42 }),
		spanProcessors: [new BatchSpanProcessor(exporter, { maxExportBatchSize: 100 })],
		spanLimits: { eventCountLimit: 3 },
	});
}

const propagator = new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] });
const providers = Object.fromEntries(['shop', 'bank', 'stock'].map((name) => [name, service(name)]));
const tracer = (name) => providers[name].getTracer(`${name}-http`, '1.2.3');
const set = { set: (carrier, key, value) => { carrier[key] = value; } };
const get = { get: (carrier, key) => carrier[key], keys: (carrier) => Object.keys(carrier) };
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Call another service: what goes over the wire is its headers.
async function call(from, to, operation, parent, attributes, serve) {
	const client = tracer(from).startSpan(`${operation} ${to}`, { kind: SpanKind.CLIENT, attributes }, parent);
	const wire = {};

	propagator.inject(trace.setSpan(parent, client), wire, set);
	headers.push({ traceId: client.spanContext().traceId, spanId: client.spanContext().spanId, ...wire });

	const remote = propagator.extract(ROOT_CONTEXT, wire, get);
	const server = tracer(to).startSpan(operation, { kind: SpanKind.SERVER }, remote);

	await later(2);
	await serve(server, trace.setSpan(remote, server));
	server.end();
	await later(1);
	client.end();
}

async function order(number) {
	const baggage = propagation.createBaggage({ customer: { value: 'ada lovelace' }, order: { value: String(number) } });
	const root = tracer('shop').startSpan('POST /order', {
		kind: SpanKind.SERVER,
		root: true,
		attributes: {
			'order.number': number, 'order.total': 72.5, 'order.rush': number % 2 === 0, 'order.items': ['soup', 'bread', 'čaj 🍵'],
			'http.request.header.authorization': 'Bearer secret', 'note': 'line\nline', 'whole.double': 3,
		},
	});
	const inside = propagation.setBaggage(trace.setSpan(ROOT_CONTEXT, root), baggage);

	root.addEvent('accepted', { by: 'till-1', position: 4 });
	await call('shop', 'stock', 'reserve', inside, { 'stock.items': 3 }, async (server, ctx) => {
		const query = tracer('stock').startSpan('SELECT stock', { kind: SpanKind.INTERNAL, attributes: { 'db.system': 'postgresql' } }, ctx);
		await later(2);
		query.end();
		for (let i = 0; i < 5; i++)
			server.addEvent(`reserved ${i}`);
	});
	await call('shop', 'bank', 'charge', inside, {}, async (server) => {
		if (number % 2 === 0) {
			server.recordException(new Error('card declined'));
			server.setStatus({ code: SpanStatusCode.ERROR, message: 'card declined' });
		} else {
			server.setStatus({ code: SpanStatusCode.OK });
		}
	});

	// what is done later is a trace of its own, linked to the order
	const mail = tracer('shop').startSpan('send mail', {
		kind: SpanKind.PRODUCER, root: true, links: [{ context: root.spanContext(), attributes: { why: 'order' } }],
	});
	mail.end();
	root.end();
}

const nanoseconds = ([seconds, nanos]) => (BigInt(seconds) * 1000000000n + BigInt(nanos)).toString();

async function main() {
	await db.connect();
	for (let number = 1; number <= 10; number++)
		await order(number);
	for (const provider of Object.values(providers))
		await provider.forceFlush();
	for (const header of headers)
		await db.query('INSERT INTO requests (context, trace_id, span_id) VALUES ($1, $2, $3)',
			[header.traceparent, header.traceId, header.spanId]);
	await db.end();
	process.stdout.write(JSON.stringify({
		headers,
		spans: made.map((span) => ({
			trace_id: span.spanContext().traceId,
			span_id: span.spanContext().spanId,
			parent_span_id: span.parentSpanContext ? span.parentSpanContext.spanId : null,
			name: span.name,
			kind: SpanKind[span.kind].toLowerCase(),
			status: ['unset', 'ok', 'error'][span.status.code],
			status_message: span.status.message || null,
			start_ns: nanoseconds(span.startTime),
			end_ns: nanoseconds(span.endTime),
			service_name: span.resource.attributes['service.name'],
			scope_name: span.instrumentationScope.name,
			scope_version: span.instrumentationScope.version,
			attributes: span.attributes,
			events: span.events.map((event) => ({ name: event.name, time_ns: nanoseconds(event.time) })),
			dropped_events_count: span.droppedEventsCount || null,
			links: span.links.map((link) => ({ trace_id: link.context.traceId, span_id: link.context.spanId })),
		})),
	}));
}

context.disable();
main().catch((error) => {
	console.error(error);
	process.exit(1);
});
