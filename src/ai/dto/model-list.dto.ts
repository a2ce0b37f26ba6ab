import { ApiProperty } from '@nestjs/swagger';
import { ModelDto } from './model.dto';

/** All models, in the order their vendors are tried. */
export class ModelListDto {
  @ApiProperty({ type: [ModelDto], description: 'The models.' })
  items: ModelDto[];

  @ApiProperty({ type: String, description: 'The price list they are charged by.', example: '2026-11-01' })
  priceListVersion: string;
}
