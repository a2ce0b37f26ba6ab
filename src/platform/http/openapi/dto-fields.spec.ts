import { OmitType } from '@nestjs/swagger';
import { MoneyField } from '../validation/money-field';
import { TextField } from '../validation/fields';
import { ApiId, ApiVersionNumber, describeField, listFields, pickFields, ResponseType } from './dto-fields';

class CreateNoteDto {
  @TextField({ max: 10, description: 'Title.', example: 'A note' })
  title: string;

  @MoneyField({ nullable: true, description: 'Price.', example: '1.00' })
  price?: string | null;

  @TextField({ max: 5, optional: true, description: 'Status.' })
  status?: string;
}

class NoteDto extends ResponseType(OmitType(CreateNoteDto, ['status'])) {
  @ApiId('Id of the note.')
  id: number;

  @ApiVersionNumber()
  version: number;
}

describe(ResponseType.name, () => {
  it('has the documented fields of the body after the id, and then its own', () => {
    expect(listFields(NoteDto)).toEqual(['id', 'title', 'price', 'version']);
    expect(listFields(CreateNoteDto)).toEqual(['title', 'price', 'status']);
  });

  it('repeats the documentation; each field has a value, and an amount has two places', () => {
    expect(describeField(NoteDto, 'title')).toEqual(describeField(CreateNoteDto, 'title'));
    expect(describeField(CreateNoteDto, 'price')).toMatchObject({ required: false, nullable: true });
    expect(describeField(NoteDto, 'price')).toMatchObject({
      required: true,
      nullable: true,
      description: 'Price.',
      pattern: '^\\d{1,8}\\.\\d{2}$',
    });
  });
});

describe(pickFields.name, () => {
  it('returns the documented fields of a row and nothing else', () => {
    const row = { id: 1, userId: 2, title: 'A', price: null, version: 1, secret: 's' };

    expect(pickFields(NoteDto, row)).toEqual({ id: 1, title: 'A', price: null, version: 1 });
  });
});
