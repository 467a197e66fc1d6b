"""The schema of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from his.audit.ddl import create_statements, drop_statements
from his.core.db import Amount, UtcDateTime

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('audit_events',
    sa.Column('event_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('user_name', sa.String(length=120), nullable=False),
    sa.Column('user_kind', sa.String(length=16), nullable=False),
    sa.Column('roles', sa.String(length=200), nullable=False),
    sa.Column('ip', sa.String(length=45), nullable=False),
    sa.Column('port', sa.Integer(), nullable=True),
    sa.Column('session_ref', sa.String(length=16), nullable=False),
    sa.Column('workplace', sa.String(length=12), nullable=False),
    sa.Column('action', sa.String(length=80), nullable=False),
    sa.Column('result', sa.Enum('ok', 'denied', name='result', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('subject_type', sa.String(length=40), nullable=False),
    sa.Column('subject_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_audit_events'))
    )
    with op.batch_alter_table('audit_events', schema=None) as batch_op:
        batch_op.create_index('ix_audit_events_patient', ['patient_id', 'event_id'], unique=False)
        batch_op.create_index('ix_audit_events_user', ['user_id', 'event_id'], unique=False)

    op.create_table('audit_seals',
    sa.Column('seal_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('event_count', sa.Integer(), nullable=False),
    sa.Column('previous_hash', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('seal_id', name=op.f('pk_audit_seals'))
    )
    op.create_table('catalogue_imports',
    sa.Column('import_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('catalogue', sa.String(length=40), nullable=False),
    sa.Column('source', sa.String(length=300), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('added_count', sa.Integer(), nullable=False),
    sa.Column('closed_count', sa.Integer(), nullable=False),
    sa.Column('unchanged_count', sa.Integer(), nullable=False),
    sa.Column('is_applied', sa.Boolean(), nullable=False),
    sa.Column('report', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('import_id', name=op.f('pk_catalogue_imports'))
    )
    op.create_table('claim_exports',
    sa.Column('export_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('month', sa.String(length=7), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'running', 'done', 'failed', name='export_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('total_count', sa.Integer(), nullable=False),
    sa.Column('done_count', sa.Integer(), nullable=False),
    sa.Column('last_claim_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('folder', sa.String(length=300), nullable=False),
    sa.Column('started_at', UtcDateTime(), nullable=False),
    sa.Column('lease_until', UtcDateTime(), nullable=True),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('problem', sa.String(length=500), nullable=False),
    sa.PrimaryKeyConstraint('export_id', name=op.f('pk_claim_exports'))
    )
    op.create_table('code_items',
    sa.Column('item_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('list_name', sa.String(length=40), nullable=False),
    sa.Column('code', sa.String(length=20), nullable=False),
    sa.Column('name_vi', sa.String(length=500), nullable=False),
    sa.Column('name_en', sa.String(length=500), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('import_id', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('item_id', name=op.f('pk_code_items')),
    sa.UniqueConstraint('list_name', 'code', 'valid_from', name=op.f('uq_code_items_list_name_code_valid_from'))
    )
    with op.batch_alter_table('code_items', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_code_items_list_name'), ['list_name'], unique=False)

    op.create_table('commune_changes',
    sa.Column('change_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('old_folded', sa.String(length=200), nullable=False),
    sa.Column('old_province_code', sa.String(length=2), nullable=False),
    sa.Column('old_name', sa.String(length=200), nullable=False),
    sa.Column('new_commune_code', sa.String(length=5), nullable=False),
    sa.Column('is_split', sa.Boolean(), nullable=False),
    sa.Column('is_default', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('change_id', name=op.f('pk_commune_changes'))
    )
    with op.batch_alter_table('commune_changes', schema=None) as batch_op:
        batch_op.create_index('ix_commune_changes_folded', ['old_folded'], unique=False)

    op.create_table('communes',
    sa.Column('commune_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=5), nullable=False),
    sa.Column('province_code', sa.String(length=2), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('import_id', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('commune_id', name=op.f('pk_communes')),
    sa.UniqueConstraint('code', 'valid_from', name=op.f('uq_communes_code_valid_from'))
    )
    with op.batch_alter_table('communes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_communes_code'), ['code'], unique=False)
        batch_op.create_index(batch_op.f('ix_communes_province_code'), ['province_code'], unique=False)

    op.create_table('drugs',
    sa.Column('drug_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=24), nullable=False),
    sa.Column('ingredient_code', sa.String(length=40), nullable=False),
    sa.Column('inn', sa.String(length=300), nullable=False),
    sa.Column('ingredient_vi', sa.String(length=300), nullable=False),
    sa.Column('brand', sa.String(length=200), nullable=False),
    sa.Column('strength', sa.String(length=120), nullable=False),
    sa.Column('form', sa.String(length=120), nullable=False),
    sa.Column('route_code', sa.String(length=8), nullable=False),
    sa.Column('unit', sa.String(length=24), nullable=False),
    sa.Column('registration_no', sa.String(length=40), nullable=False),
    sa.Column('tender', sa.String(length=120), nullable=False),
    sa.Column('atc', sa.String(length=8), nullable=False),
    sa.Column('control_class', sa.String(length=16), nullable=False),
    sa.Column('price', Amount(2), nullable=False),
    sa.Column('insurance_price', Amount(2), nullable=False),
    sa.Column('insurance_rate', sa.Integer(), nullable=False),
    sa.Column('cost_group', sa.String(length=2), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('import_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('price >= 0 AND insurance_price >= 0', name=op.f('ck_drugs_price_not_negative')),
    sa.PrimaryKeyConstraint('drug_id', name=op.f('pk_drugs')),
    sa.UniqueConstraint('code', 'valid_from', name=op.f('uq_drugs_code_valid_from'))
    )
    with op.batch_alter_table('drugs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_drugs_code'), ['code'], unique=False)

    op.create_table('facilities',
    sa.Column('facility_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=5), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('level', sa.String(length=20), nullable=False),
    sa.Column('address', sa.String(length=300), nullable=False),
    sa.Column('province_code', sa.String(length=2), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('import_id', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('facility_id', name=op.f('pk_facilities')),
    sa.UniqueConstraint('code', 'valid_from', name=op.f('uq_facilities_code_valid_from'))
    )
    with op.batch_alter_table('facilities', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_facilities_code'), ['code'], unique=False)

    op.create_table('heartbeats',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_heartbeats'))
    )
    op.create_table('holidays',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_holidays'))
    )
    op.create_table('icd_codes',
    sa.Column('icd_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=8), nullable=False),
    sa.Column('mark', sa.String(length=1), nullable=False),
    sa.Column('name_vi', sa.String(length=500), nullable=False),
    sa.Column('name_en', sa.String(length=500), nullable=False),
    sa.Column('chapter', sa.String(length=8), nullable=False),
    sa.Column('type3', sa.String(length=3), nullable=False),
    sa.Column('is_never_main', sa.Boolean(), nullable=False),
    sa.Column('is_discouraged_main', sa.Boolean(), nullable=False),
    sa.Column('is_never_used', sa.Boolean(), nullable=False),
    sa.Column('is_finer_code_doubtful', sa.Boolean(), nullable=False),
    sa.Column('is_death_only', sa.Boolean(), nullable=False),
    sa.Column('sex_only', sa.String(length=1), nullable=False),
    sa.Column('age_min_days', sa.Integer(), nullable=True),
    sa.Column('age_max_days', sa.Integer(), nullable=True),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('import_id', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('icd_id', name=op.f('pk_icd_codes')),
    sa.UniqueConstraint('code', 'valid_from', name=op.f('uq_icd_codes_code_valid_from'))
    )
    with op.batch_alter_table('icd_codes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_icd_codes_code'), ['code'], unique=False)

    op.create_table('lab_indices',
    sa.Column('index_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=24), nullable=False),
    sa.Column('name_vi', sa.String(length=200), nullable=False),
    sa.Column('name_en', sa.String(length=200), nullable=False),
    sa.Column('service_code', sa.String(length=24), nullable=False),
    sa.Column('unit', sa.String(length=24), nullable=False),
    sa.Column('specimen', sa.String(length=80), nullable=False),
    sa.Column('loinc', sa.String(length=12), nullable=False),
    sa.Column('value_type', sa.String(length=8), nullable=False),
    sa.Column('decimals', sa.Integer(), nullable=False),
    sa.Column('age_min_days', sa.Integer(), nullable=False),
    sa.Column('age_max_days', sa.Integer(), nullable=True),
    sa.Column('male_low', Amount(3), nullable=True),
    sa.Column('male_high', Amount(3), nullable=True),
    sa.Column('female_low', Amount(3), nullable=True),
    sa.Column('female_high', Amount(3), nullable=True),
    sa.Column('critical_low', Amount(3), nullable=True),
    sa.Column('critical_high', Amount(3), nullable=True),
    sa.Column('sort', sa.Integer(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('import_id', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('index_id', name=op.f('pk_lab_indices')),
    sa.UniqueConstraint('code', 'age_min_days', 'valid_from', name=op.f('uq_lab_indices_code_age_min_days_valid_from'))
    )
    with op.batch_alter_table('lab_indices', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lab_indices_code'), ['code'], unique=False)
        batch_op.create_index(batch_op.f('ix_lab_indices_service_code'), ['service_code'], unique=False)

    op.create_table('login_failures',
    sa.Column('failure_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('failure_count', sa.Integer(), nullable=False),
    sa.Column('first_at', UtcDateTime(), nullable=False),
    sa.Column('last_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('failure_id', name=op.f('pk_login_failures')),
    sa.UniqueConstraint('kind', 'subject', name=op.f('uq_login_failures_kind_subject'))
    )
    op.create_table('outbox_messages',
    sa.Column('message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=80), nullable=False),
    sa.Column('dedup_key', sa.String(length=120), nullable=False),
    sa.Column('payload', sa.JSON(), nullable=False),
    sa.Column('state', sa.Enum('ready', 'sending', 'sent', 'refused', 'unknown', 'dead', name='outbox_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('attempt_count', sa.Integer(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('next_at', UtcDateTime(), nullable=False),
    sa.Column('lease_until', UtcDateTime(), nullable=True),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.Column('answer_code', sa.String(length=40), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('message_id', name=op.f('pk_outbox_messages')),
    sa.UniqueConstraint('dedup_key', name=op.f('uq_outbox_messages_dedup_key'))
    )
    with op.batch_alter_table('outbox_messages', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_messages_due', ['state', 'next_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_outbox_messages_kind'), ['kind'], unique=False)

    op.create_table('patients',
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('facility_code', sa.String(length=5), nullable=False),
    sa.Column('code', sa.String(length=20), nullable=False),
    sa.Column('full_name', sa.String(length=255), nullable=False),
    sa.Column('birth_on', sa.Date(), nullable=False),
    sa.Column('birth_precision', sa.Enum('day', 'month', 'year', name='birth_precision', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('birth_time', sa.String(length=4), nullable=False),
    sa.Column('sex', sa.Enum('M', 'F', 'U', name='sex', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('status', sa.Enum('known', 'temporary', 'unknown', 'newborn', name='patient_status', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('phone', sa.String(length=20), nullable=False),
    sa.Column('address_line', sa.String(length=500), nullable=False),
    sa.Column('commune_code', sa.String(length=5), nullable=False),
    sa.Column('province_code', sa.String(length=2), nullable=False),
    sa.Column('address_text', sa.String(length=1024), nullable=False),
    sa.Column('ethnicity_code', sa.String(length=2), nullable=False),
    sa.Column('nationality_code', sa.String(length=2), nullable=False),
    sa.Column('occupation_code', sa.String(length=5), nullable=False),
    sa.Column('workplace', sa.String(length=255), nullable=False),
    sa.Column('blood_group', sa.String(length=5), nullable=False),
    sa.Column('allergy_status', sa.Enum('unknown', 'none_known', 'recorded', name='allergy_status', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('is_sensitive', sa.Boolean(), nullable=False),
    sa.Column('died_on', sa.Date(), nullable=True),
    sa.Column('merged_into_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('length(full_name) BETWEEN 1 AND 255', name=op.f('ck_patients_name_length')),
    sa.ForeignKeyConstraint(['merged_into_id'], ['patients.patient_id'], name=op.f('fk_patients_merged_into_id_patients')),
    sa.PrimaryKeyConstraint('patient_id', name=op.f('pk_patients')),
    sa.UniqueConstraint('code', name=op.f('uq_patients_code'))
    )
    op.create_table('provinces',
    sa.Column('province_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=2), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('import_id', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('province_id', name=op.f('pk_provinces')),
    sa.UniqueConstraint('code', 'valid_from', name=op.f('uq_provinces_code_valid_from'))
    )
    with op.batch_alter_table('provinces', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_provinces_code'), ['code'], unique=False)

    op.create_table('queue_states',
    sa.Column('room_code', sa.String(length=12), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('room_code', 'day', name=op.f('pk_queue_states'))
    )
    with op.batch_alter_table('queue_states', schema=None) as batch_op:
        batch_op.create_index('ix_queue_states_day', ['day'], unique=False)

    op.create_table('referral_diseases',
    sa.Column('disease_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('icd_prefix', sa.String(length=8), nullable=False),
    sa.Column('scope', sa.String(length=24), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('import_id', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('disease_id', name=op.f('pk_referral_diseases')),
    sa.UniqueConstraint('icd_prefix', 'valid_from', name=op.f('uq_referral_diseases_icd_prefix_valid_from'))
    )
    with op.batch_alter_table('referral_diseases', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_referral_diseases_icd_prefix'), ['icd_prefix'], unique=False)

    op.create_table('request_keys',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('action', sa.String(length=80), nullable=False),
    sa.Column('body_hash', sa.String(length=64), nullable=False),
    sa.Column('result', sa.JSON(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_request_keys'))
    )
    op.create_table('roles',
    sa.Column('role_code', sa.String(length=24), nullable=False),
    sa.Column('name_vi', sa.String(length=80), nullable=False),
    sa.Column('name_en', sa.String(length=80), nullable=False),
    sa.PrimaryKeyConstraint('role_code', name=op.f('pk_roles'))
    )
    op.create_table('rooms',
    sa.Column('room_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=12), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('place', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('department_code', sa.String(length=20), nullable=False),
    sa.Column('exam_service_code', sa.String(length=24), nullable=False),
    sa.Column('is_open', sa.Boolean(), nullable=False),
    sa.Column('sort', sa.Integer(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('import_id', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('room_id', name=op.f('pk_rooms')),
    sa.UniqueConstraint('code', 'valid_from', name=op.f('uq_rooms_code_valid_from'))
    )
    with op.batch_alter_table('rooms', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rooms_code'), ['code'], unique=False)

    op.create_table('search_documents',
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('entity_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('phrase', sa.String(length=500).with_variant(sa.String(length=500, collation='C'), 'postgresql'), nullable=False),
    sa.Column('folded', sa.Text(), nullable=False),
    sa.Column('label', sa.String(length=500), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.Column('weight', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'entity_id', name=op.f('pk_search_documents'))
    )
    with op.batch_alter_table('search_documents', schema=None) as batch_op:
        batch_op.create_index('ix_search_documents_phrase', ['kind', 'phrase'], unique=False)

    op.create_table('search_postings',
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('word', sa.String(length=64).with_variant(sa.String(length=64, collation='C'), 'postgresql'), nullable=False),
    sa.Column('entity_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('kind', 'word', 'entity_id', name=op.f('pk_search_postings'))
    )
    with op.batch_alter_table('search_postings', schema=None) as batch_op:
        batch_op.create_index('ix_search_postings_entity', ['kind', 'entity_id', 'word'], unique=False)

    op.create_table('search_variants',
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('variant', sa.String(length=64).with_variant(sa.String(length=64, collation='C'), 'postgresql'), nullable=False),
    sa.Column('word', sa.String(length=64).with_variant(sa.String(length=64, collation='C'), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'variant', 'word', name=op.f('pk_search_variants'))
    )
    op.create_table('sequences',
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('period', sa.String(length=16), nullable=False),
    sa.Column('value', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('name', 'period', name=op.f('pk_sequences'))
    )
    op.create_table('services',
    sa.Column('service_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=24), nullable=False),
    sa.Column('name', sa.String(length=500), nullable=False),
    sa.Column('cost_group', sa.String(length=2), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('unit', sa.String(length=20), nullable=False),
    sa.Column('hospital_price', Amount(2), nullable=False),
    sa.Column('insurance_price', Amount(2), nullable=False),
    sa.Column('insurance_rate', sa.Integer(), nullable=False),
    sa.Column('machine_code', sa.String(length=60), nullable=False),
    sa.Column('price_basis', sa.String(length=60), nullable=False),
    sa.Column('is_offered', sa.Boolean(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('import_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('hospital_price >= 0 AND insurance_price >= 0', name=op.f('ck_services_price_not_negative')),
    sa.PrimaryKeyConstraint('service_id', name=op.f('pk_services')),
    sa.UniqueConstraint('code', 'valid_from', name=op.f('uq_services_code_valid_from'))
    )
    with op.batch_alter_table('services', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_services_code'), ['code'], unique=False)

    op.create_table('signatures',
    sa.Column('signature_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('person', 'organisation', name='signature_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('place', sa.String(length=40), nullable=False),
    sa.Column('method', sa.String(length=24), nullable=False),
    sa.Column('subject_type', sa.String(length=32), nullable=False),
    sa.Column('subject_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('canonical', sa.JSON(), nullable=False),
    sa.Column('signer_id', sa.Integer(), nullable=True),
    sa.Column('signer_name', sa.String(length=120), nullable=False),
    sa.Column('signer_licence', sa.String(length=60), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('evidence', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('signature_id', name=op.f('pk_signatures'))
    )
    with op.batch_alter_table('signatures', schema=None) as batch_op:
        batch_op.create_index('ix_signatures_subject', ['subject_type', 'subject_id'], unique=False)

    op.create_table('stock_lots',
    sa.Column('lot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('store_code', sa.String(length=12), nullable=False),
    sa.Column('drug_code', sa.String(length=24), nullable=False),
    sa.Column('lot_number', sa.String(length=40), nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=False),
    sa.Column('quantity', Amount(3), nullable=False),
    sa.Column('received_at', UtcDateTime(), nullable=False),
    sa.CheckConstraint('quantity >= 0', name=op.f('ck_stock_lots_never_negative')),
    sa.PrimaryKeyConstraint('lot_id', name=op.f('pk_stock_lots')),
    sa.UniqueConstraint('store_code', 'drug_code', 'lot_number', 'expires_on', name=op.f('uq_stock_lots_store_code_drug_code_lot_number_expires_on'))
    )
    with op.batch_alter_table('stock_lots', schema=None) as batch_op:
        batch_op.create_index('ix_stock_lots_drug', ['drug_code', 'expires_on'], unique=False)

    op.create_table('stock_reservations',
    sa.Column('reservation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('drug_code', sa.String(length=24), nullable=False),
    sa.Column('quantity', Amount(3), nullable=False),
    sa.Column('source_kind', sa.String(length=24), nullable=False),
    sa.Column('source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.Enum('held', 'issued', 'released', name='reservation_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_stock_reservations_quantity_positive')),
    sa.PrimaryKeyConstraint('reservation_id', name=op.f('pk_stock_reservations')),
    sa.UniqueConstraint('source_kind', 'source_id', name=op.f('uq_stock_reservations_source_kind_source_id'))
    )
    with op.batch_alter_table('stock_reservations', schema=None) as batch_op:
        batch_op.create_index('ix_stock_reservations_drug', ['drug_code', 'state'], unique=False)

    op.create_table('users',
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('username', sa.String(length=60), nullable=False),
    sa.Column('display_name', sa.String(length=120), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=False),
    sa.Column('must_change_password', sa.Boolean(), nullable=False),
    sa.Column('password_changed_at', UtcDateTime(), nullable=False),
    sa.Column('pin_hash', sa.String(length=200), nullable=False),
    sa.Column('totp_secret', sa.String(length=200), nullable=False),
    sa.Column('totp_used_step', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('active', 'disabled', name='user_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('language', sa.String(length=2), nullable=False),
    sa.Column('theme', sa.String(length=8), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('last_login_at', UtcDateTime(), nullable=True),
    sa.Column('title', sa.String(length=20), nullable=False),
    sa.Column('licence_number', sa.String(length=60), nullable=False),
    sa.Column('insurer_code', sa.String(length=20), nullable=False),
    sa.Column('personal_number', sa.String(length=12), nullable=False),
    sa.Column('department_code', sa.String(length=20), nullable=False),
    sa.Column('default_room', sa.String(length=12), nullable=False),
    sa.Column('is_authorised_signer', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_users')),
    sa.UniqueConstraint('username', name=op.f('uq_users_username'))
    )
    op.create_table('allergies',
    sa.Column('allergy_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('substance', sa.String(length=200), nullable=False),
    sa.Column('reaction', sa.String(length=200), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('noted_on', sa.Date(), nullable=True),
    sa.Column('recorded_at', UtcDateTime(), nullable=False),
    sa.Column('recorded_by_id', sa.Integer(), nullable=True),
    sa.Column('voided_at', UtcDateTime(), nullable=True),
    sa.Column('voided_by_id', sa.Integer(), nullable=True),
    sa.Column('void_reason', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.patient_id'], name=op.f('fk_allergies_patient_id_patients')),
    sa.PrimaryKeyConstraint('allergy_id', name=op.f('pk_allergies'))
    )
    with op.batch_alter_table('allergies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_allergies_patient_id'), ['patient_id'], unique=False)

    op.create_table('audit_sealed_events',
    sa.Column('event_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('seal_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['audit_events.event_id'], name=op.f('fk_audit_sealed_events_event_id_audit_events')),
    sa.ForeignKeyConstraint(['seal_id'], ['audit_seals.seal_id'], name=op.f('fk_audit_sealed_events_seal_id_audit_seals')),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_audit_sealed_events'))
    )
    with op.batch_alter_table('audit_sealed_events', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_sealed_events_seal_id'), ['seal_id'], unique=False)

    op.create_table('coverages',
    sa.Column('coverage_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('card_number', sa.String(length=15), nullable=False),
    sa.Column('registered_facility_code', sa.String(length=5), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('living_area', sa.String(length=2), nullable=False),
    sa.Column('five_years_on', sa.Date(), nullable=True),
    sa.Column('is_copay_exempt', sa.Boolean(), nullable=False),
    sa.Column('source', sa.Enum('card_qr', 'portal', 'typed', 'temporary', name='coverage_source', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.CheckConstraint('valid_to IS NULL OR valid_to >= valid_from', name=op.f('ck_coverages_period')),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.patient_id'], name=op.f('fk_coverages_patient_id_patients')),
    sa.PrimaryKeyConstraint('coverage_id', name=op.f('pk_coverages'))
    )
    with op.batch_alter_table('coverages', schema=None) as batch_op:
        batch_op.create_index('ix_coverages_card_number', ['card_number'], unique=False)
        batch_op.create_index(batch_op.f('ix_coverages_patient_id'), ['patient_id'], unique=False)

    op.create_table('guardians',
    sa.Column('guardian_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('mother', 'father', 'guardian', 'companion', name='guardian_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('full_name', sa.String(length=255), nullable=False),
    sa.Column('personal_number', sa.String(length=20), nullable=False),
    sa.Column('phone', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.patient_id'], name=op.f('fk_guardians_patient_id_patients')),
    sa.PrimaryKeyConstraint('guardian_id', name=op.f('pk_guardians'))
    )
    with op.batch_alter_table('guardians', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_guardians_patient_id'), ['patient_id'], unique=False)

    op.create_table('patient_identifiers',
    sa.Column('identifier_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('type', sa.Enum('SDDCN', 'CMND9', 'SDDCN_DA_HUY', 'HO_CHIEU', 'MA_THE_BHYT', 'MA_SO_BHXH', 'GIAY_CHUNG_SINH', 'MA_TAM', name='identifier_type', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('value', sa.String(length=40), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('source', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.patient_id'], name=op.f('fk_patient_identifiers_patient_id_patients')),
    sa.PrimaryKeyConstraint('identifier_id', name=op.f('pk_patient_identifiers'))
    )
    with op.batch_alter_table('patient_identifiers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_patient_identifiers_patient_id'), ['patient_id'], unique=False)
        batch_op.create_index('ix_patient_identifiers_value', ['value'], unique=False)
        batch_op.create_index('uq_patient_identifiers_personal', ['value'], unique=True, postgresql_where=sa.text("type = 'SDDCN' AND valid_to IS NULL"), sqlite_where=sa.text("type = 'SDDCN' AND valid_to IS NULL"))

    op.create_table('role_permissions',
    sa.Column('role_code', sa.String(length=24), nullable=False),
    sa.Column('permission', sa.String(length=80), nullable=False),
    sa.ForeignKeyConstraint(['role_code'], ['roles.role_code'], name=op.f('fk_role_permissions_role_code_roles')),
    sa.PrimaryKeyConstraint('role_code', 'permission', name=op.f('pk_role_permissions'))
    )
    op.create_table('stock_movements',
    sa.Column('movement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('receipt', 'issue', 'return', 'correction', name='movement_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('quantity', Amount(3), nullable=False),
    sa.Column('source_kind', sa.String(length=24), nullable=False),
    sa.Column('source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.CheckConstraint('quantity <> 0', name=op.f('ck_stock_movements_quantity_not_zero')),
    sa.ForeignKeyConstraint(['lot_id'], ['stock_lots.lot_id'], name=op.f('fk_stock_movements_lot_id_stock_lots')),
    sa.PrimaryKeyConstraint('movement_id', name=op.f('pk_stock_movements'))
    )
    with op.batch_alter_table('stock_movements', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_stock_movements_lot_id'), ['lot_id'], unique=False)

    op.create_table('user_roles',
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('role_code', sa.String(length=24), nullable=False),
    sa.ForeignKeyConstraint(['role_code'], ['roles.role_code'], name=op.f('fk_user_roles_role_code_roles')),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_user_roles_user_id_users')),
    sa.PrimaryKeyConstraint('user_id', 'role_code', name=op.f('pk_user_roles'))
    )
    op.create_table('user_sessions',
    sa.Column('session_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('workplace', sa.String(length=12), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('last_seen_at', UtcDateTime(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('locked_at', UtcDateTime(), nullable=True),
    sa.Column('proved_at', UtcDateTime(), nullable=True),
    sa.Column('proof_failures', sa.Integer(), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('ip', sa.String(length=45), nullable=False),
    sa.Column('browser', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_user_sessions_user_id_users')),
    sa.PrimaryKeyConstraint('session_id', name=op.f('pk_user_sessions')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_user_sessions_token_hash'))
    )
    with op.batch_alter_table('user_sessions', schema=None) as batch_op:
        batch_op.create_index('ix_user_sessions_user', ['user_id', 'ended_at'], unique=False)

    op.create_table('visits',
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('facility_code', sa.String(length=5), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('coverage_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('service_on', sa.Date(), nullable=False),
    sa.Column('state', sa.Enum('open', 'in_exam', 'concluded', 'closed', 'cancelled', name='visit_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('visit_type_code', sa.String(length=2), nullable=False),
    sa.Column('subject_code', sa.String(length=5), nullable=False),
    sa.Column('subject_reason', sa.String(length=500), nullable=False),
    sa.Column('benefit_rate', sa.String(length=5), nullable=False),
    sa.Column('route', sa.String(length=16), nullable=False),
    sa.Column('room_code', sa.String(length=12), nullable=False),
    sa.Column('department_code', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('guardian_name', sa.String(length=255), nullable=False),
    sa.Column('guardian_phone', sa.String(length=20), nullable=False),
    sa.Column('weight_kg', Amount(2), nullable=True),
    sa.Column('priority', sa.String(length=16), nullable=False),
    sa.Column('is_emergency', sa.Boolean(), nullable=False),
    sa.Column('incoming_paper_kind', sa.String(length=16), nullable=False),
    sa.Column('incoming_paper_number', sa.String(length=50), nullable=False),
    sa.Column('incoming_facility_code', sa.String(length=5), nullable=False),
    sa.Column('incoming_signed_on', sa.Date(), nullable=True),
    sa.Column('incoming_is_one_year', sa.Boolean(), nullable=False),
    sa.Column('arrived_at', UtcDateTime(), nullable=False),
    sa.Column('registered_at', UtcDateTime(), nullable=False),
    sa.Column('called_at', UtcDateTime(), nullable=True),
    sa.Column('seen_at', UtcDateTime(), nullable=True),
    sa.Column('tests_ordered_at', UtcDateTime(), nullable=True),
    sa.Column('tests_done_at', UtcDateTime(), nullable=True),
    sa.Column('paid_at', UtcDateTime(), nullable=True),
    sa.Column('dispensed_at', UtcDateTime(), nullable=True),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('discharge_code', sa.String(length=2), nullable=False),
    sa.Column('result_code', sa.String(length=2), nullable=False),
    sa.Column('destination_facility_code', sa.String(length=5), nullable=False),
    sa.Column('doctor_id', sa.Integer(), nullable=True),
    sa.Column('doctor_licence', sa.String(length=255), nullable=False),
    sa.Column('main_icd', sa.String(length=8), nullable=False),
    sa.Column('main_icd_name', sa.Text(), nullable=False),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('cancelled_reason', sa.String(length=300), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state IN ('concluded', 'closed')) = (ended_at IS NOT NULL)", name=op.f('ck_visits_ended_when_concluded')),
    sa.ForeignKeyConstraint(['coverage_id'], ['coverages.coverage_id'], name=op.f('fk_visits_coverage_id_coverages')),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.patient_id'], name=op.f('fk_visits_patient_id_patients')),
    sa.PrimaryKeyConstraint('visit_id', name=op.f('pk_visits')),
    sa.UniqueConstraint('code', name=op.f('uq_visits_code'))
    )
    with op.batch_alter_table('visits', schema=None) as batch_op:
        batch_op.create_index('ix_visits_day', ['service_on', 'state'], unique=False)
        batch_op.create_index('ix_visits_ended', ['ended_at'], unique=False)
        batch_op.create_index('ix_visits_patient_day', ['patient_id', 'service_on'], unique=False)
        batch_op.create_index('ix_visits_room_state', ['room_code', 'service_on', 'state'], unique=False)

    op.create_table('card_checks',
    sa.Column('check_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('coverage_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('asked_number', sa.String(length=15), nullable=False),
    sa.Column('asked_name', sa.String(length=255), nullable=False),
    sa.Column('asked_birth', sa.String(length=10), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('valid', 'invalid', 'unverified', name='check_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('code', sa.String(length=10), nullable=False),
    sa.Column('message', sa.String(length=500), nullable=False),
    sa.Column('answer', sa.JSON(), nullable=False),
    sa.Column('error', sa.String(length=300), nullable=False),
    sa.Column('duration_ms', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['coverage_id'], ['coverages.coverage_id'], name=op.f('fk_card_checks_coverage_id_coverages')),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.patient_id'], name=op.f('fk_card_checks_patient_id_patients')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_card_checks_visit_id_visits')),
    sa.PrimaryKeyConstraint('check_id', name=op.f('pk_card_checks'))
    )
    with op.batch_alter_table('card_checks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_card_checks_patient_id'), ['patient_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_checks_visit_id'), ['visit_id'], unique=False)

    op.create_table('charges',
    sa.Column('charge_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('source_kind', sa.String(length=24), nullable=False),
    sa.Column('source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('exam', 'service', 'drug', 'supply', name='item_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('item_code', sa.String(length=50), nullable=False),
    sa.Column('item_name', sa.String(length=1024), nullable=False),
    sa.Column('cost_group', sa.String(length=2), nullable=False),
    sa.Column('unit', sa.String(length=24), nullable=False),
    sa.Column('quantity', Amount(3), nullable=False),
    sa.Column('hospital_price', Amount(3), nullable=False),
    sa.Column('insurance_price', Amount(3), nullable=False),
    sa.Column('service_rate', sa.Integer(), nullable=False),
    sa.Column('insurance_rate', sa.Integer(), nullable=False),
    sa.Column('ordered_at', UtcDateTime(), nullable=False),
    sa.Column('ordered_by_id', sa.Integer(), nullable=True),
    sa.Column('ordered_by_licence', sa.String(length=255), nullable=False),
    sa.Column('department_code', sa.String(length=20), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('posted_at', UtcDateTime(), nullable=False),
    sa.Column('voided_at', UtcDateTime(), nullable=True),
    sa.Column('voided_by_id', sa.Integer(), nullable=True),
    sa.Column('void_reason', sa.String(length=300), nullable=False),
    sa.CheckConstraint("(voided_at IS NULL) = (void_reason = '')", name=op.f('ck_charges_void_has_reason')),
    sa.CheckConstraint('hospital_price >= 0 AND insurance_price >= 0', name=op.f('ck_charges_price_not_negative')),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_charges_quantity_positive')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_charges_visit_id_visits')),
    sa.PrimaryKeyConstraint('charge_id', name=op.f('pk_charges')),
    sa.UniqueConstraint('source_kind', 'source_id', name=op.f('uq_charges_source_kind_source_id'))
    )
    with op.batch_alter_table('charges', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_charges_visit_id'), ['visit_id'], unique=False)

    op.create_table('diagnoses',
    sa.Column('diagnosis_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('main', 'other', name='diagnosis_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('icd_code', sa.String(length=8), nullable=False),
    sa.Column('name', sa.String(length=500), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('recorded_at', UtcDateTime(), nullable=False),
    sa.Column('recorded_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_diagnoses_visit_id_visits')),
    sa.PrimaryKeyConstraint('diagnosis_id', name=op.f('pk_diagnoses')),
    sa.UniqueConstraint('visit_id', 'icd_code', name=op.f('uq_diagnoses_visit_id_icd_code'))
    )
    with op.batch_alter_table('diagnoses', schema=None) as batch_op:
        batch_op.create_index('uq_diagnoses_main', ['visit_id'], unique=True, postgresql_where=sa.text("kind = 'main'"), sqlite_where=sa.text("kind = 'main'"))

    op.create_table('exam_notes',
    sa.Column('note_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.Enum('draft', 'closed', 'superseded', name='note_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('history', sa.Text(), nullable=False),
    sa.Column('past_history', sa.Text(), nullable=False),
    sa.Column('findings', sa.Text(), nullable=False),
    sa.Column('conclusion', sa.Text(), nullable=False),
    sa.Column('advice', sa.Text(), nullable=False),
    sa.Column('follow_up_on', sa.Date(), nullable=True),
    sa.Column('follow_up_number', sa.String(length=50), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=True),
    sa.Column('author_name', sa.String(length=120), nullable=False),
    sa.Column('saved_at', UtcDateTime(), nullable=False),
    sa.Column('closed_at', UtcDateTime(), nullable=True),
    sa.Column('supersedes_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('change_reason', sa.String(length=300), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'draft') = (closed_at IS NULL)", name=op.f('ck_exam_notes_closed_has_time')),
    sa.ForeignKeyConstraint(['supersedes_id'], ['exam_notes.note_id'], name=op.f('fk_exam_notes_supersedes_id_exam_notes')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_exam_notes_visit_id_visits')),
    sa.PrimaryKeyConstraint('note_id', name=op.f('pk_exam_notes'))
    )
    with op.batch_alter_table('exam_notes', schema=None) as batch_op:
        batch_op.create_index('uq_exam_notes_current', ['visit_id'], unique=True, postgresql_where=sa.text("state <> 'superseded'"), sqlite_where=sa.text("state <> 'superseded'"))

    op.create_table('note_drafts',
    sa.Column('draft_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.Column('page_key', sa.String(length=40), nullable=False),
    sa.Column('client_counter', sa.Integer(), nullable=False),
    sa.Column('saved_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_note_drafts_visit_id_visits')),
    sa.PrimaryKeyConstraint('draft_id', name=op.f('pk_note_drafts')),
    sa.UniqueConstraint('visit_id', 'author_id', name=op.f('uq_note_drafts_visit_id_author_id'))
    )
    op.create_table('papers',
    sa.Column('paper_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('facility_code', sa.String(length=5), nullable=False),
    sa.Column('form_code', sa.String(length=40), nullable=False),
    sa.Column('form_version', sa.String(length=40), nullable=False),
    sa.Column('number', sa.String(length=50), nullable=False),
    sa.Column('public_code', sa.String(length=32), nullable=False),
    sa.Column('state', sa.Enum('issued', 'replaced', 'cancelled', name='paper_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('subject_type', sa.String(length=32), nullable=False),
    sa.Column('subject_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('masked_name', sa.String(length=120), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('media_type', sa.String(length=40), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('byte_count', sa.Integer(), nullable=False),
    sa.Column('page_count', sa.Integer(), nullable=False),
    sa.Column('issued_at', UtcDateTime(), nullable=False),
    sa.Column('issued_by_id', sa.Integer(), nullable=True),
    sa.Column('replaced_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('replace_reason', sa.String(length=300), nullable=False),
    sa.Column('print_count', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'replaced') = (replaced_by_id IS NOT NULL)", name=op.f('ck_papers_replaced_by_known')),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.patient_id'], name=op.f('fk_papers_patient_id_patients')),
    sa.ForeignKeyConstraint(['replaced_by_id'], ['papers.paper_id'], name=op.f('fk_papers_replaced_by_id_papers')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_papers_visit_id_visits')),
    sa.PrimaryKeyConstraint('paper_id', name=op.f('pk_papers')),
    sa.UniqueConstraint('public_code', name=op.f('uq_papers_public_code'))
    )
    with op.batch_alter_table('papers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_papers_patient_id'), ['patient_id'], unique=False)
        batch_op.create_index('ix_papers_subject', ['subject_type', 'subject_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_papers_visit_id'), ['visit_id'], unique=False)

    op.create_table('prescriptions',
    sa.Column('prescription_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('C', 'N', 'H', 'T', name='prescription_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('state', sa.Enum('draft', 'signed', 'dispensed', 'superseded', 'cancelled', 'expired', name='prescription_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('code', sa.String(length=14), nullable=True),
    sa.Column('doctor_id', sa.Integer(), nullable=False),
    sa.Column('doctor_name', sa.String(length=120), nullable=False),
    sa.Column('doctor_licence', sa.String(length=60), nullable=False),
    sa.Column('department_code', sa.String(length=20), nullable=False),
    sa.Column('advice', sa.String(length=1000), nullable=False),
    sa.Column('follow_up_on', sa.Date(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('saved_at', UtcDateTime(), nullable=False),
    sa.Column('signed_at', UtcDateTime(), nullable=True),
    sa.Column('signer_id', sa.Integer(), nullable=True),
    sa.Column('ruleset_version', sa.String(length=40), nullable=False),
    sa.Column('alerts', sa.JSON(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('supersedes_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('cancelled_at', UtcDateTime(), nullable=True),
    sa.Column('cancelled_by_id', sa.Integer(), nullable=True),
    sa.Column('cancel_reason', sa.String(length=300), nullable=False),
    sa.Column('sent_state', sa.Enum('waiting', 'sent', 'refused', 'unknown', 'held', 'skipped', name='sent_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'draft') = (signed_at IS NULL) OR state = 'cancelled'", name=op.f('ck_prescriptions_signed_has_time')),
    sa.CheckConstraint('signed_at IS NULL OR (code IS NOT NULL AND signer_id IS NOT NULL)', name=op.f('ck_prescriptions_signed_has_code')),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.patient_id'], name=op.f('fk_prescriptions_patient_id_patients')),
    sa.ForeignKeyConstraint(['supersedes_id'], ['prescriptions.prescription_id'], name=op.f('fk_prescriptions_supersedes_id_prescriptions')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_prescriptions_visit_id_visits')),
    sa.PrimaryKeyConstraint('prescription_id', name=op.f('pk_prescriptions')),
    sa.UniqueConstraint('code', name=op.f('uq_prescriptions_code'))
    )
    with op.batch_alter_table('prescriptions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_prescriptions_patient_id'), ['patient_id'], unique=False)
        batch_op.create_index('ix_prescriptions_state', ['state', 'signed_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_prescriptions_visit_id'), ['visit_id'], unique=False)

    op.create_table('queue_tickets',
    sa.Column('ticket_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('room_code', sa.String(length=12), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('priority_reason', sa.String(length=40), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'called', 'serving', 'done', 'skipped', 'void', name='ticket_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('expected_at', UtcDateTime(), nullable=True),
    sa.Column('called_at', UtcDateTime(), nullable=True),
    sa.Column('done_at', UtcDateTime(), nullable=True),
    sa.Column('call_count', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_queue_tickets_visit_id_visits')),
    sa.PrimaryKeyConstraint('ticket_id', name=op.f('pk_queue_tickets')),
    sa.UniqueConstraint('room_code', 'day', 'number', name=op.f('uq_queue_tickets_room_code_day_number'))
    )
    with op.batch_alter_table('queue_tickets', schema=None) as batch_op:
        batch_op.create_index('ix_queue_tickets_room', ['room_code', 'day', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_queue_tickets_visit_id'), ['visit_id'], unique=False)

    op.create_table('service_orders',
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ordered_at', UtcDateTime(), nullable=False),
    sa.Column('ordered_by_id', sa.Integer(), nullable=False),
    sa.Column('ordered_by_name', sa.String(length=120), nullable=False),
    sa.Column('ordered_by_licence', sa.String(length=60), nullable=False),
    sa.Column('department_code', sa.String(length=20), nullable=False),
    sa.Column('indication', sa.String(length=500), nullable=False),
    sa.Column('is_urgent', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.patient_id'], name=op.f('fk_service_orders_patient_id_patients')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_service_orders_visit_id_visits')),
    sa.PrimaryKeyConstraint('order_id', name=op.f('pk_service_orders')),
    sa.UniqueConstraint('code', name=op.f('uq_service_orders_code'))
    )
    with op.batch_alter_table('service_orders', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_service_orders_visit_id'), ['visit_id'], unique=False)

    op.create_table('settlements',
    sa.Column('settlement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('state', sa.Enum('paid', 'superseded', 'voided', name='settlement_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('subject_code', sa.String(length=5), nullable=False),
    sa.Column('benefit_rate', sa.String(length=5), nullable=False),
    sa.Column('total_amount', Amount(2), nullable=False),
    sa.Column('insured_amount', Amount(2), nullable=False),
    sa.Column('fund_amount', Amount(2), nullable=False),
    sa.Column('copay_amount', Amount(2), nullable=False),
    sa.Column('outside_amount', Amount(2), nullable=False),
    sa.Column('other_amount', Amount(2), nullable=False),
    sa.Column('payable_amount', Amount(2), nullable=False),
    sa.Column('steps', sa.JSON(), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('by_name', sa.String(length=120), nullable=False),
    sa.Column('voided_at', UtcDateTime(), nullable=True),
    sa.Column('voided_by_id', sa.Integer(), nullable=True),
    sa.Column('voided_by_name', sa.String(length=120), nullable=False),
    sa.Column('void_reason', sa.String(length=300), nullable=False),
    sa.CheckConstraint("(state = 'voided') = (voided_at IS NOT NULL)", name=op.f('ck_settlements_voided_has_time')),
    sa.CheckConstraint("(voided_at IS NULL) = (void_reason = '')", name=op.f('ck_settlements_void_has_reason')),
    sa.CheckConstraint('fund_amount + copay_amount + outside_amount + other_amount = total_amount', name=op.f('ck_settlements_shares_add_up')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_settlements_visit_id_visits')),
    sa.PrimaryKeyConstraint('settlement_id', name=op.f('pk_settlements')),
    sa.UniqueConstraint('number', name=op.f('uq_settlements_number'))
    )
    with op.batch_alter_table('settlements', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_settlements_visit_id'), ['visit_id'], unique=False)
        batch_op.create_index('uq_settlements_current', ['visit_id'], unique=True, postgresql_where=sa.text("state = 'paid'"), sqlite_where=sa.text("state = 'paid'"))

    op.create_table('vital_signs',
    sa.Column('vitals_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('measured_at', UtcDateTime(), nullable=False),
    sa.Column('recorded_by_id', sa.Integer(), nullable=True),
    sa.Column('pulse', sa.Integer(), nullable=True),
    sa.Column('temperature', Amount(1), nullable=True),
    sa.Column('respiration', sa.Integer(), nullable=True),
    sa.Column('systolic', sa.Integer(), nullable=True),
    sa.Column('diastolic', sa.Integer(), nullable=True),
    sa.Column('spo2', sa.Integer(), nullable=True),
    sa.Column('weight_kg', Amount(2), nullable=True),
    sa.Column('height_cm', Amount(1), nullable=True),
    sa.Column('voided_at', UtcDateTime(), nullable=True),
    sa.Column('void_reason', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.patient_id'], name=op.f('fk_vital_signs_patient_id_patients')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_vital_signs_visit_id_visits')),
    sa.PrimaryKeyConstraint('vitals_id', name=op.f('pk_vital_signs'))
    )
    with op.batch_alter_table('vital_signs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_vital_signs_patient_id'), ['patient_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_vital_signs_visit_id'), ['visit_id'], unique=False)

    op.create_table('alert_overrides',
    sa.Column('override_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('prescription_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('rule', sa.String(length=40), nullable=False),
    sa.Column('tier', sa.Integer(), nullable=False),
    sa.Column('about', sa.String(length=300), nullable=False),
    sa.Column('reason_code', sa.String(length=32), nullable=False),
    sa.Column('reason_text', sa.String(length=500), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=False),
    sa.Column('by_name', sa.String(length=120), nullable=False),
    sa.ForeignKeyConstraint(['prescription_id'], ['prescriptions.prescription_id'], name=op.f('fk_alert_overrides_prescription_id_prescriptions')),
    sa.PrimaryKeyConstraint('override_id', name=op.f('pk_alert_overrides')),
    sa.UniqueConstraint('prescription_id', 'rule', 'about', name=op.f('uq_alert_overrides_prescription_id_rule_about'))
    )
    op.create_table('claim_files',
    sa.Column('claim_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_code', sa.String(length=100), nullable=False),
    sa.Column('version_no', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('built', 'faulty', 'passed', 'sending', 'sent', 'refused', 'unknown', 'superseded', name='claim_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('settlement_month', sa.String(length=7), nullable=False),
    sa.Column('settlement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('rows', sa.JSON(), nullable=True),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('error_count', sa.Integer(), nullable=False),
    sa.Column('warning_count', sa.Integer(), nullable=False),
    sa.Column('total_amount', Amount(2), nullable=False),
    sa.Column('fund_amount', Amount(2), nullable=False),
    sa.Column('built_at', UtcDateTime(), nullable=False),
    sa.Column('built_by_id', sa.Integer(), nullable=True),
    sa.Column('change_reason', sa.String(length=300), nullable=False),
    sa.Column('sent_at', UtcDateTime(), nullable=True),
    sa.Column('sent_file', sa.LargeBinary(), nullable=True),
    sa.Column('receipt_code', sa.String(length=100), nullable=False),
    sa.Column('answer_code', sa.String(length=40), nullable=False),
    sa.Column('answer', sa.String(length=1000), nullable=False),
    sa.ForeignKeyConstraint(['settlement_id'], ['settlements.settlement_id'], name=op.f('fk_claim_files_settlement_id_settlements')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_claim_files_visit_id_visits')),
    sa.PrimaryKeyConstraint('claim_id', name=op.f('pk_claim_files')),
    sa.UniqueConstraint('visit_id', 'version_no', name=op.f('uq_claim_files_visit_id_version_no'))
    )
    with op.batch_alter_table('claim_files', schema=None) as batch_op:
        batch_op.create_index('ix_claim_files_month', ['settlement_month', 'state'], unique=False)
        batch_op.create_index('uq_claim_files_current', ['visit_id'], unique=True, postgresql_where=sa.text("state <> 'superseded'"), sqlite_where=sa.text("state <> 'superseded'"))

    op.create_table('dispenses',
    sa.Column('dispense_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('prescription_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=False),
    sa.Column('by_name', sa.String(length=120), nullable=False),
    sa.Column('receiver_name', sa.String(length=255), nullable=False),
    sa.Column('receiver_id_number', sa.String(length=20), nullable=False),
    sa.Column('voided_at', UtcDateTime(), nullable=True),
    sa.Column('voided_by_id', sa.Integer(), nullable=True),
    sa.Column('void_reason', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['prescription_id'], ['prescriptions.prescription_id'], name=op.f('fk_dispenses_prescription_id_prescriptions')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_dispenses_visit_id_visits')),
    sa.PrimaryKeyConstraint('dispense_id', name=op.f('pk_dispenses')),
    sa.UniqueConstraint('number', name=op.f('uq_dispenses_number'))
    )
    with op.batch_alter_table('dispenses', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dispenses_visit_id'), ['visit_id'], unique=False)
        batch_op.create_index('uq_dispenses_current', ['prescription_id'], unique=True, postgresql_where=sa.text('voided_at IS NULL'), sqlite_where=sa.text('voided_at IS NULL'))

    op.create_table('order_lines',
    sa.Column('line_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('laboratory', 'imaging', 'function', 'procedure', name='order_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('service_code', sa.String(length=24), nullable=False),
    sa.Column('service_name', sa.String(length=500), nullable=False),
    sa.Column('state', sa.Enum('ordered', 'started', 'resulted', 'cancelled', name='order_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('room_code', sa.String(length=12), nullable=False),
    sa.Column('started_at', UtcDateTime(), nullable=True),
    sa.Column('started_by_id', sa.Integer(), nullable=True),
    sa.Column('performer_licence', sa.String(length=60), nullable=False),
    sa.Column('resulted_at', UtcDateTime(), nullable=True),
    sa.Column('cancelled_at', UtcDateTime(), nullable=True),
    sa.Column('cancelled_by_id', sa.Integer(), nullable=True),
    sa.Column('cancel_reason', sa.String(length=300), nullable=False),
    sa.Column('machine_code', sa.String(length=60), nullable=False),
    sa.CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name=op.f('ck_order_lines_cancelled_has_time')),
    sa.CheckConstraint("state <> 'resulted' OR resulted_at IS NOT NULL", name=op.f('ck_order_lines_resulted_has_time')),
    sa.ForeignKeyConstraint(['order_id'], ['service_orders.order_id'], name=op.f('fk_order_lines_order_id_service_orders')),
    sa.PrimaryKeyConstraint('line_id', name=op.f('pk_order_lines'))
    )
    with op.batch_alter_table('order_lines', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_order_lines_order_id'), ['order_id'], unique=False)
        batch_op.create_index('ix_order_lines_work', ['kind', 'state'], unique=False)

    op.create_table('payments',
    sa.Column('payment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('settlement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('receipt_number', sa.String(length=40), nullable=False),
    sa.Column('amount', Amount(2), nullable=False),
    sa.Column('method', sa.Enum('cash', 'transfer', 'card', name='payment_method', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('tendered_amount', Amount(2), nullable=True),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('by_name', sa.String(length=120), nullable=False),
    sa.CheckConstraint('amount <> 0', name=op.f('ck_payments_amount_not_zero')),
    sa.ForeignKeyConstraint(['settlement_id'], ['settlements.settlement_id'], name=op.f('fk_payments_settlement_id_settlements')),
    sa.PrimaryKeyConstraint('payment_id', name=op.f('pk_payments')),
    sa.UniqueConstraint('receipt_number', name=op.f('uq_payments_receipt_number'))
    )
    with op.batch_alter_table('payments', schema=None) as batch_op:
        batch_op.create_index('ix_payments_at', ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_payments_settlement_id'), ['settlement_id'], unique=False)

    op.create_table('prescription_lines',
    sa.Column('line_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('prescription_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('drug_code', sa.String(length=24), nullable=False),
    sa.Column('inn', sa.String(length=300), nullable=False),
    sa.Column('brand', sa.String(length=200), nullable=False),
    sa.Column('strength', sa.String(length=120), nullable=False),
    sa.Column('form', sa.String(length=120), nullable=False),
    sa.Column('unit', sa.String(length=24), nullable=False),
    sa.Column('route_code', sa.String(length=8), nullable=False),
    sa.Column('route_name', sa.String(length=120), nullable=False),
    sa.Column('dose_amount', Amount(3), nullable=False),
    sa.Column('dose_unit', sa.String(length=24), nullable=False),
    sa.Column('times_per_day', sa.Integer(), nullable=False),
    sa.Column('times_text', sa.String(length=200), nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.Column('frequency', sa.String(length=16), nullable=False),
    sa.Column('quantity', Amount(3), nullable=False),
    sa.Column('diagnosis_code', sa.String(length=8), nullable=False),
    sa.Column('control_class', sa.String(length=16), nullable=False),
    sa.CheckConstraint('days >= 1', name=op.f('ck_prescription_lines_days_positive')),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_prescription_lines_quantity_positive')),
    sa.ForeignKeyConstraint(['prescription_id'], ['prescriptions.prescription_id'], name=op.f('fk_prescription_lines_prescription_id_prescriptions')),
    sa.PrimaryKeyConstraint('line_id', name=op.f('pk_prescription_lines')),
    sa.UniqueConstraint('prescription_id', 'position', name=op.f('uq_prescription_lines_prescription_id_position'))
    )
    op.create_table('referrals',
    sa.Column('referral_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('patient_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.Enum('draft', 'signed', 'issued', 'replaced', 'cancelled', name='referral_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('number', sa.String(length=50), nullable=True),
    sa.Column('register_number', sa.String(length=50), nullable=False),
    sa.Column('destination_code', sa.String(length=5), nullable=False),
    sa.Column('destination_name', sa.String(length=200), nullable=False),
    sa.Column('reason', sa.Enum('1', '2', '3', name='referral_reason', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('clinical_signs', sa.Text(), nullable=False),
    sa.Column('course', sa.Text(), nullable=False),
    sa.Column('results_summary', sa.Text(), nullable=False),
    sa.Column('treatment_done', sa.Text(), nullable=False),
    sa.Column('procedures', sa.Text(), nullable=False),
    sa.Column('procedure_started_at', UtcDateTime(), nullable=True),
    sa.Column('procedure_ended_at', UtcDateTime(), nullable=True),
    sa.Column('condition', sa.Text(), nullable=False),
    sa.Column('plan', sa.Text(), nullable=False),
    sa.Column('is_one_year', sa.Boolean(), nullable=False),
    sa.Column('is_commitment_signed', sa.Boolean(), nullable=False),
    sa.Column('result_code', sa.String(length=2), nullable=False),
    sa.Column('transport', sa.String(length=255), nullable=False),
    sa.Column('escort_name', sa.String(length=255), nullable=False),
    sa.Column('escort_title', sa.String(length=255), nullable=False),
    sa.Column('transferred_at', UtcDateTime(), nullable=True),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('doctor_id', sa.Integer(), nullable=False),
    sa.Column('doctor_name', sa.String(length=120), nullable=False),
    sa.Column('doctor_licence', sa.String(length=60), nullable=False),
    sa.Column('doctor_signed_at', UtcDateTime(), nullable=True),
    sa.Column('authority_name', sa.String(length=120), nullable=False),
    sa.Column('authority_licence', sa.String(length=60), nullable=False),
    sa.Column('authority_id', sa.Integer(), nullable=True),
    sa.Column('issued_at', UtcDateTime(), nullable=True),
    sa.Column('snapshot', sa.JSON(), nullable=False),
    sa.Column('paper_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('supersedes_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('replace_reason', sa.String(length=300), nullable=False),
    sa.Column('cancel_reason', sa.String(length=300), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("state = 'draft' OR state = 'cancelled' OR doctor_signed_at IS NOT NULL", name=op.f('ck_referrals_signed_time')),
    sa.CheckConstraint("state NOT IN ('issued', 'replaced') OR number IS NOT NULL", name=op.f('ck_referrals_issued_has_number')),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.paper_id'], name=op.f('fk_referrals_paper_id_papers')),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.patient_id'], name=op.f('fk_referrals_patient_id_patients')),
    sa.ForeignKeyConstraint(['supersedes_id'], ['referrals.referral_id'], name=op.f('fk_referrals_supersedes_id_referrals')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_referrals_visit_id_visits')),
    sa.PrimaryKeyConstraint('referral_id', name=op.f('pk_referrals')),
    sa.UniqueConstraint('number', name=op.f('uq_referrals_number'))
    )
    with op.batch_alter_table('referrals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_referrals_patient_id'), ['patient_id'], unique=False)
        batch_op.create_index('uq_referrals_current', ['visit_id'], unique=True, postgresql_where=sa.text("state IN ('draft', 'signed', 'issued')"), sqlite_where=sa.text("state IN ('draft', 'signed', 'issued')"))

    op.create_table('settlement_lines',
    sa.Column('line_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('settlement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('charge_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('scope_code', sa.String(length=1), nullable=False),
    sa.Column('insurance_rate', sa.Integer(), nullable=False),
    sa.Column('benefit_rate', sa.String(length=5), nullable=False),
    sa.Column('hospital_price', Amount(3), nullable=False),
    sa.Column('insurance_price', Amount(3), nullable=False),
    sa.Column('total_amount', Amount(2), nullable=False),
    sa.Column('insured_amount', Amount(2), nullable=False),
    sa.Column('fund_amount', Amount(2), nullable=False),
    sa.Column('copay_amount', Amount(2), nullable=False),
    sa.Column('outside_amount', Amount(2), nullable=False),
    sa.Column('other_amount', Amount(2), nullable=False),
    sa.ForeignKeyConstraint(['charge_id'], ['charges.charge_id'], name=op.f('fk_settlement_lines_charge_id_charges')),
    sa.ForeignKeyConstraint(['settlement_id'], ['settlements.settlement_id'], name=op.f('fk_settlement_lines_settlement_id_settlements')),
    sa.PrimaryKeyConstraint('line_id', name=op.f('pk_settlement_lines')),
    sa.UniqueConstraint('settlement_id', 'charge_id', name=op.f('uq_settlement_lines_settlement_id_charge_id'))
    )
    op.create_table('claim_findings',
    sa.Column('finding_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('claim_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('rule_id', sa.String(length=60), nullable=False),
    sa.Column('table_code', sa.String(length=8), nullable=False),
    sa.Column('row_no', sa.Integer(), nullable=True),
    sa.Column('field', sa.String(length=40), nullable=False),
    sa.Column('value', sa.String(length=255), nullable=False),
    sa.Column('message', sa.String(length=1000), nullable=False),
    sa.Column('severity', sa.Enum('error', 'warning', 'info', name='severity', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('source', sa.String(length=300), nullable=False),
    sa.Column('suggestion', sa.String(length=500), nullable=False),
    sa.Column('owner_role', sa.String(length=24), nullable=False),
    sa.Column('owner_name', sa.String(length=120), nullable=False),
    sa.Column('anchor', sa.String(length=24), nullable=False),
    sa.Column('anchor_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['claim_id'], ['claim_files.claim_id'], name=op.f('fk_claim_findings_claim_id_claim_files')),
    sa.PrimaryKeyConstraint('finding_id', name=op.f('pk_claim_findings'))
    )
    with op.batch_alter_table('claim_findings', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_claim_findings_claim_id'), ['claim_id'], unique=False)
        batch_op.create_index('ix_claim_findings_rule', ['rule_id'], unique=False)

    op.create_table('dispense_lines',
    sa.Column('line_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('dispense_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('prescription_line_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lot_number', sa.String(length=40), nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=False),
    sa.Column('quantity', Amount(3), nullable=False),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_dispense_lines_quantity_positive')),
    sa.ForeignKeyConstraint(['dispense_id'], ['dispenses.dispense_id'], name=op.f('fk_dispense_lines_dispense_id_dispenses')),
    sa.ForeignKeyConstraint(['lot_id'], ['stock_lots.lot_id'], name=op.f('fk_dispense_lines_lot_id_stock_lots')),
    sa.ForeignKeyConstraint(['prescription_line_id'], ['prescription_lines.line_id'], name=op.f('fk_dispense_lines_prescription_line_id_prescription_lines')),
    sa.PrimaryKeyConstraint('line_id', name=op.f('pk_dispense_lines'))
    )
    with op.batch_alter_table('dispense_lines', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dispense_lines_dispense_id'), ['dispense_id'], unique=False)

    op.create_table('imaging_reports',
    sa.Column('report_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_line_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.Enum('draft', 'released', 'superseded', name='report_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('taken_at', UtcDateTime(), nullable=True),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('conclusion', sa.Text(), nullable=False),
    sa.Column('is_abnormal', sa.Boolean(), nullable=False),
    sa.Column('written_by_id', sa.Integer(), nullable=False),
    sa.Column('written_by_name', sa.String(length=120), nullable=False),
    sa.Column('written_by_licence', sa.String(length=60), nullable=False),
    sa.Column('written_at', UtcDateTime(), nullable=False),
    sa.Column('released_at', UtcDateTime(), nullable=True),
    sa.Column('released_by_id', sa.Integer(), nullable=True),
    sa.Column('released_by_name', sa.String(length=120), nullable=False),
    sa.Column('released_by_licence', sa.String(length=60), nullable=False),
    sa.Column('machine_code', sa.String(length=60), nullable=False),
    sa.Column('supersedes_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('change_reason', sa.String(length=300), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'draft') = (released_at IS NULL)", name=op.f('ck_imaging_reports_released_has_time')),
    sa.CheckConstraint("state = 'draft' OR conclusion <> ''", name=op.f('ck_imaging_reports_released_has_conclusion')),
    sa.ForeignKeyConstraint(['order_line_id'], ['order_lines.line_id'], name=op.f('fk_imaging_reports_order_line_id_order_lines')),
    sa.ForeignKeyConstraint(['supersedes_id'], ['imaging_reports.report_id'], name=op.f('fk_imaging_reports_supersedes_id_imaging_reports')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_imaging_reports_visit_id_visits')),
    sa.PrimaryKeyConstraint('report_id', name=op.f('pk_imaging_reports'))
    )
    with op.batch_alter_table('imaging_reports', schema=None) as batch_op:
        batch_op.create_index('ix_imaging_reports_released', ['released_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_imaging_reports_visit_id'), ['visit_id'], unique=False)
        batch_op.create_index('uq_imaging_reports_current', ['order_line_id'], unique=True, postgresql_where=sa.text("state <> 'superseded'"), sqlite_where=sa.text("state <> 'superseded'"))

    op.create_table('lab_results',
    sa.Column('result_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_line_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('visit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.Enum('entered', 'released', 'superseded', name='result_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('specimen_at', UtcDateTime(), nullable=True),
    sa.Column('entered_at', UtcDateTime(), nullable=False),
    sa.Column('entered_by_id', sa.Integer(), nullable=False),
    sa.Column('entered_by_name', sa.String(length=120), nullable=False),
    sa.Column('entered_by_licence', sa.String(length=60), nullable=False),
    sa.Column('released_at', UtcDateTime(), nullable=True),
    sa.Column('released_by_id', sa.Integer(), nullable=True),
    sa.Column('released_by_name', sa.String(length=120), nullable=False),
    sa.Column('released_by_licence', sa.String(length=60), nullable=False),
    sa.Column('conclusion', sa.String(length=1000), nullable=False),
    sa.Column('critical_note', sa.String(length=300), nullable=False),
    sa.Column('machine_code', sa.String(length=60), nullable=False),
    sa.Column('supersedes_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('change_reason', sa.String(length=300), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'entered') = (released_at IS NULL)", name=op.f('ck_lab_results_released_has_time')),
    sa.ForeignKeyConstraint(['order_line_id'], ['order_lines.line_id'], name=op.f('fk_lab_results_order_line_id_order_lines')),
    sa.ForeignKeyConstraint(['supersedes_id'], ['lab_results.result_id'], name=op.f('fk_lab_results_supersedes_id_lab_results')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.visit_id'], name=op.f('fk_lab_results_visit_id_visits')),
    sa.PrimaryKeyConstraint('result_id', name=op.f('pk_lab_results'))
    )
    with op.batch_alter_table('lab_results', schema=None) as batch_op:
        batch_op.create_index('ix_lab_results_released', ['released_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_lab_results_visit_id'), ['visit_id'], unique=False)
        batch_op.create_index('uq_lab_results_current', ['order_line_id'], unique=True, postgresql_where=sa.text("state <> 'superseded'"), sqlite_where=sa.text("state <> 'superseded'"))

    op.create_table('lab_values',
    sa.Column('value_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('result_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('index_code', sa.String(length=24), nullable=False),
    sa.Column('index_name', sa.String(length=200), nullable=False),
    sa.Column('value', sa.String(length=255), nullable=False),
    sa.Column('unit', sa.String(length=24), nullable=False),
    sa.Column('range_text', sa.String(length=60), nullable=False),
    sa.Column('flag', sa.Enum('', 'L', 'H', 'LL', 'HH', 'A', name='flag', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('sort', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['result_id'], ['lab_results.result_id'], name=op.f('fk_lab_values_result_id_lab_results')),
    sa.PrimaryKeyConstraint('value_id', name=op.f('pk_lab_values')),
    sa.UniqueConstraint('result_id', 'index_code', name=op.f('uq_lab_values_result_id_index_code'))
    )
    # The audit tables are append-only in the database itself (SEC-51).
    for statement in create_statements(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    for statement in drop_statements(op.get_bind().dialect.name):
        op.execute(statement)
    op.drop_table('lab_values')
    with op.batch_alter_table('lab_results', schema=None) as batch_op:
        batch_op.drop_index('uq_lab_results_current', postgresql_where=sa.text("state <> 'superseded'"), sqlite_where=sa.text("state <> 'superseded'"))
        batch_op.drop_index(batch_op.f('ix_lab_results_visit_id'))
        batch_op.drop_index('ix_lab_results_released')

    op.drop_table('lab_results')
    with op.batch_alter_table('imaging_reports', schema=None) as batch_op:
        batch_op.drop_index('uq_imaging_reports_current', postgresql_where=sa.text("state <> 'superseded'"), sqlite_where=sa.text("state <> 'superseded'"))
        batch_op.drop_index(batch_op.f('ix_imaging_reports_visit_id'))
        batch_op.drop_index('ix_imaging_reports_released')

    op.drop_table('imaging_reports')
    with op.batch_alter_table('dispense_lines', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_dispense_lines_dispense_id'))

    op.drop_table('dispense_lines')
    with op.batch_alter_table('claim_findings', schema=None) as batch_op:
        batch_op.drop_index('ix_claim_findings_rule')
        batch_op.drop_index(batch_op.f('ix_claim_findings_claim_id'))

    op.drop_table('claim_findings')
    op.drop_table('settlement_lines')
    with op.batch_alter_table('referrals', schema=None) as batch_op:
        batch_op.drop_index('uq_referrals_current', postgresql_where=sa.text("state IN ('draft', 'signed', 'issued')"), sqlite_where=sa.text("state IN ('draft', 'signed', 'issued')"))
        batch_op.drop_index(batch_op.f('ix_referrals_patient_id'))

    op.drop_table('referrals')
    op.drop_table('prescription_lines')
    with op.batch_alter_table('payments', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_payments_settlement_id'))
        batch_op.drop_index('ix_payments_at')

    op.drop_table('payments')
    with op.batch_alter_table('order_lines', schema=None) as batch_op:
        batch_op.drop_index('ix_order_lines_work')
        batch_op.drop_index(batch_op.f('ix_order_lines_order_id'))

    op.drop_table('order_lines')
    with op.batch_alter_table('dispenses', schema=None) as batch_op:
        batch_op.drop_index('uq_dispenses_current', postgresql_where=sa.text('voided_at IS NULL'), sqlite_where=sa.text('voided_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_dispenses_visit_id'))

    op.drop_table('dispenses')
    with op.batch_alter_table('claim_files', schema=None) as batch_op:
        batch_op.drop_index('uq_claim_files_current', postgresql_where=sa.text("state <> 'superseded'"), sqlite_where=sa.text("state <> 'superseded'"))
        batch_op.drop_index('ix_claim_files_month')

    op.drop_table('claim_files')
    op.drop_table('alert_overrides')
    with op.batch_alter_table('vital_signs', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_vital_signs_visit_id'))
        batch_op.drop_index(batch_op.f('ix_vital_signs_patient_id'))

    op.drop_table('vital_signs')
    with op.batch_alter_table('settlements', schema=None) as batch_op:
        batch_op.drop_index('uq_settlements_current', postgresql_where=sa.text("state = 'paid'"), sqlite_where=sa.text("state = 'paid'"))
        batch_op.drop_index(batch_op.f('ix_settlements_visit_id'))

    op.drop_table('settlements')
    with op.batch_alter_table('service_orders', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_service_orders_visit_id'))

    op.drop_table('service_orders')
    with op.batch_alter_table('queue_tickets', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_queue_tickets_visit_id'))
        batch_op.drop_index('ix_queue_tickets_room')

    op.drop_table('queue_tickets')
    with op.batch_alter_table('prescriptions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_prescriptions_visit_id'))
        batch_op.drop_index('ix_prescriptions_state')
        batch_op.drop_index(batch_op.f('ix_prescriptions_patient_id'))

    op.drop_table('prescriptions')
    with op.batch_alter_table('papers', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_papers_visit_id'))
        batch_op.drop_index('ix_papers_subject')
        batch_op.drop_index(batch_op.f('ix_papers_patient_id'))

    op.drop_table('papers')
    op.drop_table('note_drafts')
    with op.batch_alter_table('exam_notes', schema=None) as batch_op:
        batch_op.drop_index('uq_exam_notes_current', postgresql_where=sa.text("state <> 'superseded'"), sqlite_where=sa.text("state <> 'superseded'"))

    op.drop_table('exam_notes')
    with op.batch_alter_table('diagnoses', schema=None) as batch_op:
        batch_op.drop_index('uq_diagnoses_main', postgresql_where=sa.text("kind = 'main'"), sqlite_where=sa.text("kind = 'main'"))

    op.drop_table('diagnoses')
    with op.batch_alter_table('charges', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_charges_visit_id'))

    op.drop_table('charges')
    with op.batch_alter_table('card_checks', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_card_checks_visit_id'))
        batch_op.drop_index(batch_op.f('ix_card_checks_patient_id'))

    op.drop_table('card_checks')
    with op.batch_alter_table('visits', schema=None) as batch_op:
        batch_op.drop_index('ix_visits_room_state')
        batch_op.drop_index('ix_visits_patient_day')
        batch_op.drop_index('ix_visits_ended')
        batch_op.drop_index('ix_visits_day')

    op.drop_table('visits')
    with op.batch_alter_table('user_sessions', schema=None) as batch_op:
        batch_op.drop_index('ix_user_sessions_user')

    op.drop_table('user_sessions')
    op.drop_table('user_roles')
    with op.batch_alter_table('stock_movements', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_stock_movements_lot_id'))

    op.drop_table('stock_movements')
    op.drop_table('role_permissions')
    with op.batch_alter_table('patient_identifiers', schema=None) as batch_op:
        batch_op.drop_index('uq_patient_identifiers_personal', postgresql_where=sa.text("type = 'SDDCN' AND valid_to IS NULL"), sqlite_where=sa.text("type = 'SDDCN' AND valid_to IS NULL"))
        batch_op.drop_index('ix_patient_identifiers_value')
        batch_op.drop_index(batch_op.f('ix_patient_identifiers_patient_id'))

    op.drop_table('patient_identifiers')
    with op.batch_alter_table('guardians', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_guardians_patient_id'))

    op.drop_table('guardians')
    with op.batch_alter_table('coverages', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_coverages_patient_id'))
        batch_op.drop_index('ix_coverages_card_number')

    op.drop_table('coverages')
    with op.batch_alter_table('audit_sealed_events', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_audit_sealed_events_seal_id'))

    op.drop_table('audit_sealed_events')
    with op.batch_alter_table('allergies', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_allergies_patient_id'))

    op.drop_table('allergies')
    op.drop_table('users')
    with op.batch_alter_table('stock_reservations', schema=None) as batch_op:
        batch_op.drop_index('ix_stock_reservations_drug')

    op.drop_table('stock_reservations')
    with op.batch_alter_table('stock_lots', schema=None) as batch_op:
        batch_op.drop_index('ix_stock_lots_drug')

    op.drop_table('stock_lots')
    with op.batch_alter_table('signatures', schema=None) as batch_op:
        batch_op.drop_index('ix_signatures_subject')

    op.drop_table('signatures')
    with op.batch_alter_table('services', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_services_code'))

    op.drop_table('services')
    op.drop_table('sequences')
    op.drop_table('search_variants')
    with op.batch_alter_table('search_postings', schema=None) as batch_op:
        batch_op.drop_index('ix_search_postings_entity')

    op.drop_table('search_postings')
    with op.batch_alter_table('search_documents', schema=None) as batch_op:
        batch_op.drop_index('ix_search_documents_phrase')

    op.drop_table('search_documents')
    with op.batch_alter_table('rooms', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_rooms_code'))

    op.drop_table('rooms')
    op.drop_table('roles')
    op.drop_table('request_keys')
    with op.batch_alter_table('referral_diseases', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_referral_diseases_icd_prefix'))

    op.drop_table('referral_diseases')
    with op.batch_alter_table('queue_states', schema=None) as batch_op:
        batch_op.drop_index('ix_queue_states_day')

    op.drop_table('queue_states')
    with op.batch_alter_table('provinces', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_provinces_code'))

    op.drop_table('provinces')
    op.drop_table('patients')
    with op.batch_alter_table('outbox_messages', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_outbox_messages_kind'))
        batch_op.drop_index('ix_outbox_messages_due')

    op.drop_table('outbox_messages')
    op.drop_table('login_failures')
    with op.batch_alter_table('lab_indices', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_lab_indices_service_code'))
        batch_op.drop_index(batch_op.f('ix_lab_indices_code'))

    op.drop_table('lab_indices')
    with op.batch_alter_table('icd_codes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_icd_codes_code'))

    op.drop_table('icd_codes')
    op.drop_table('holidays')
    op.drop_table('heartbeats')
    with op.batch_alter_table('facilities', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_facilities_code'))

    op.drop_table('facilities')
    with op.batch_alter_table('drugs', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_drugs_code'))

    op.drop_table('drugs')
    with op.batch_alter_table('communes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_communes_province_code'))
        batch_op.drop_index(batch_op.f('ix_communes_code'))

    op.drop_table('communes')
    with op.batch_alter_table('commune_changes', schema=None) as batch_op:
        batch_op.drop_index('ix_commune_changes_folded')

    op.drop_table('commune_changes')
    with op.batch_alter_table('code_items', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_code_items_list_name'))

    op.drop_table('code_items')
    op.drop_table('claim_exports')
    op.drop_table('catalogue_imports')
    op.drop_table('audit_seals')
    with op.batch_alter_table('audit_events', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_events_user')
        batch_op.drop_index('ix_audit_events_patient')

    op.drop_table('audit_events')
